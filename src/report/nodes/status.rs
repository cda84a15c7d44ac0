use std::io::{self, Write};

use serde::Serialize;
use time::OffsetDateTime;

use crate::clock::distance;
use crate::report::form::{Report, Screen};
use crate::report::json::{Name, instant_if_any};
use crate::report::table::{counted, line, lines, place, table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "NodeList", rename_all = "camelCase")]
pub struct Nodes {
    /// The worst of all nodes.
    pub outcome: Standing,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: String,
    pub nodes: Vec<NodeRow>,
    pub warnings: Vec<String>,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// Confirmed, and every component runs with what is there.
    Done,
    /// The profile has no such node any more.
    Removed,
    Waiting,
    /// The node's receipt and this directory cannot both be right.
    Contradicts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRow {
    pub node: String,
    pub roles: Vec<&'static str>,
    pub standing: Standing,
    pub shipped: Shipped,
    #[serde(serialize_with = "instant_if_any")]
    pub shipped_at: Option<OffsetDateTime>,
    pub confirmed: Confirmed,
    #[serde(serialize_with = "instant_if_any")]
    pub confirmed_at: Option<OffsetDateTime>,
    /// Entries that are older, missing or another cluster's on the node.
    pub differing: Vec<String>,
    pub components: Vec<ComponentRow>,
    pub lists: Vec<ListRow>,
    pub findings: Vec<String>,
    /// What to do next; a command stands last.
    pub next: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shipped {
    Never,
    /// What was packed last is what would be packed now.
    Current,
    Older,
}

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confirmed {
    /// There is no receipt.
    None,
    Current,
    /// The node has everything, and has renewed some itself.
    Renewed,
    Older,
    Foreign,
}

/// What a receipt says of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentRow {
    pub component: String,
    /// `yes`, `no`, `unknown`, or `reads again`.
    pub running: &'static str,
    /// It uses what is there.
    pub current: bool,
}

/// One authority's list, here and on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListRow {
    #[serde(rename = "caName")]
    pub authority: &'static str,
    pub state: ListState,
    /// Number and fingerprint.
    pub here: Option<String>,
    pub there: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListState {
    Same,
    Missing,
    Older,
    Ahead,
    Diverging,
}

impl NodeRow {
    fn running(&self) -> String {
        let of = |running: &str| {
            let these = self.components.iter().filter(|one| !one.current && one.running == running);
            these.map(|one| one.component.as_str()).collect::<Vec<_>>().join(", ")
        };
        let old = [("older: ", of("no")), ("unknown: ", of("unknown"))];
        let old = old.into_iter().filter(|(_, names)| !names.is_empty()).map(|(word, names)| format!("{word}{names}"));
        let old: Vec<String> = old.collect();
        match (self.components.is_empty(), old.is_empty()) {
            (true, _) => "-".to_owned(),
            (false, true) => "all".to_owned(),
            (false, false) => old.join("; "),
        }
    }

    fn lists(&self) -> String {
        let other = self.lists.iter().filter(|list| list.state != ListState::Same);
        let other: Vec<String> = other.map(|list| format!("{} {}", list.authority, Name(list.state))).collect();
        match (self.lists.is_empty() || self.confirmed == Confirmed::None, other.is_empty()) {
            (true, _) => "-".to_owned(),
            (false, true) => "same".to_owned(),
            (false, false) => other.join(", "),
        }
    }
}

/// What has just been done may be recorded with a later fraction of the second, and is not to come.
fn past(now: OffsetDateTime, at: OffsetDateTime) -> String {
    match (at - now).whole_seconds() {
        0 => "0s ago".to_owned(),
        _ => distance(now, at),
    }
}

impl Report for Nodes {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        let count = |standing| self.nodes.iter().filter(|node| node.standing == standing).count();
        let (waiting, wrong) = (count(Standing::Waiting), count(Standing::Contradicts));
        let place = place(Some(&self.cluster), &self.directory);
        line(
            out,
            match (wrong, waiting) {
                (0, 0) => format!("confirmed: {} of {place}", counted(self.nodes.len(), "node")),
                (0, _) => format!("waiting: {waiting} of {} of {place}", counted(self.nodes.len(), "node")),
                _ => format!("contradiction: {wrong} of {} of {place}", counted(self.nodes.len(), "node")),
            },
        )?;
        writeln!(out)?;
        let since = |at: Option<OffsetDateTime>| at.map(|at| format!(", {}", past(screen.now, at))).unwrap_or_default();
        let rows = self.nodes.iter().map(|node| match node.standing {
            Standing::Removed => [
                node.node.clone(),
                "removed".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
            ],
            _ => [
                node.node.clone(),
                node.roles.join(","),
                format!("{}{}", Name(node.shipped), since(node.shipped_at)),
                format!("{}{}", Name(node.confirmed), since(node.confirmed_at)),
                node.running(),
                node.lists(),
            ],
        });
        table(out, screen.width, &["NODE", "ROLES", "SHIPPED", "CONFIRMED", "RUNNING WITH IT", "LISTS"], rows)?;
        let of_nodes = |texts: fn(&NodeRow) -> &Vec<String>| {
            self.nodes.iter().flat_map(move |node| texts(node).iter().map(|text| format!("{}: {text}", node.node)))
        };
        lines(out, "", of_nodes(|node| &node.findings))?;
        lines(out, "next: ", of_nodes(|node| &node.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_just_been_done_is_not_to_come() {
        let now = OffsetDateTime::UNIX_EPOCH;
        for (milliseconds, expected) in
            [(0, "0s ago"), (400, "0s ago"), (-400, "0s ago"), (-5000, "5s ago"), (9000, "in 9s")]
        {
            assert_eq!(past(now, now + time::Duration::milliseconds(milliseconds)), expected);
        }
    }
}
