//! How one node stands: what is here for it, what was packed, and what its receipt says.

use time::OffsetDateTime;

use crate::catalog::{CaId, readers};
use crate::clock::parse_instant;
use crate::files::{shell_path, shell_word};
use crate::plan::shipping::{self, Delivery, Facts, Listed};
use crate::profile::Node;
use crate::report::nodes::{ComponentRow, Confirmed, ListRow, ListState, NodeRow, Shipped, Standing};
use crate::workspace::shipping::nodes::Shipped as Shipment;
use crate::workspace::shipping::receipt::{Held, HeldList, Receipt, comparable};

/// Everything that is known of a node.
pub struct Known<'a> {
    /// As commands name it.
    pub directory: &'a str,
    pub node: &'a Node,
    pub entries: Vec<Held>,
    pub lists: Vec<HeldList>,
    /// The lines of this directory's journal.
    pub revision: u64,
    pub shipped: Option<Shipment>,
    pub receipt: Option<Receipt>,
    /// The receipt is not recorded yet: its file.
    pub unrecorded: Option<String>,
}

impl Known<'_> {
    pub fn row(&self) -> NodeRow {
        let receipt = self.receipt.as_ref();
        let (confirmed, differing) = self.confirmed();
        let lists = self.lists();
        let mut findings = self.contradictions(&lists);
        if confirmed == Confirmed::Foreign {
            findings.push(format!("its {} is not this cluster's", differing.join(", ")));
        }
        let components: Vec<ComponentRow> = receipt
            .map(|receipt| &receipt.components)
            .into_iter()
            .flatten()
            .map(|one| ComponentRow {
                component: one.component.clone(),
                running: one.state(),
                current: one.is_current(),
            })
            .collect();
        let behind = |list: &ListRow| matches!(list.state, ListState::Older | ListState::Missing);
        let is_old = matches!(confirmed, Confirmed::None | Confirmed::Older) || lists.iter().any(behind);
        let standing = match () {
            () if !findings.is_empty() => Standing::Contradicts,
            () if is_old || components.iter().any(|one| !one.current) => Standing::Waiting,
            () => Standing::Done,
        };
        let shipped = self.shipped();
        let next = self.next(standing, shipped, is_old, &components);
        let instant = |text: &String| parse_instant(text, OffsetDateTime::UNIX_EPOCH);
        NodeRow {
            node: self.node.name.clone(),
            roles: self.node.roles.iter().map(|role| role.name()).collect(),
            standing,
            shipped,
            shipped_at: self.shipped.as_ref().and_then(|shipped| instant(&shipped.time)),
            confirmed,
            confirmed_at: receipt.and_then(|receipt| instant(&receipt.time)),
            differing,
            components,
            lists,
            findings,
            next,
        }
    }

    fn shipped(&self) -> Shipped {
        let Some(shipped) = &self.shipped else { return Shipped::Never };
        let facts = |all: &[Held]| all.iter().map(Held::facts).collect::<Vec<Facts>>();
        let entries = shipping::delivery(&facts(&self.entries), &facts(&shipped.entries)).0 == Delivery::Current;
        let print = |lists: &[HeldList], authority: &str| {
            lists.iter().find(|list| list.authority == authority).map(|list| list.fingerprint)
        };
        let lists = self.lists.iter().all(|list| print(&shipped.lists, &list.authority) == Some(list.fingerprint));
        if entries && lists { Shipped::Current } else { Shipped::Older }
    }

    fn confirmed(&self) -> (Confirmed, Vec<String>) {
        let Some(receipt) = &self.receipt else { return (Confirmed::None, Vec::new()) };
        let (ours, theirs) = comparable(&self.entries, receipt);
        let (whole, names) = shipping::delivery(&ours, &theirs);
        let confirmed = match whole {
            Delivery::Current => Confirmed::Current,
            Delivery::Renewed => Confirmed::Renewed,
            Delivery::Older => Confirmed::Older,
            Delivery::Foreign => Confirmed::Foreign,
        };
        (confirmed, names)
    }

    fn lists(&self) -> Vec<ListRow> {
        let Some(receipt) = &self.receipt else { return Vec::new() };
        let row = |authority: CaId| {
            let of = |lists: &[HeldList]| lists.iter().find(|list| list.authority == authority.name()).cloned();
            let (ours, theirs) = (of(&self.lists), of(&receipt.lists));
            let issue = |list: &Option<HeldList>| list.as_ref().map(HeldList::issue);
            let state = match shipping::list(issue(&ours).as_ref(), issue(&theirs).as_ref())? {
                Listed::Same => ListState::Same,
                Listed::Missing => ListState::Missing,
                Listed::Older => ListState::Older,
                Listed::Ahead => ListState::Ahead,
                Listed::Diverging => ListState::Diverging,
            };
            let said = |list: Option<HeldList>| list.map(|list| list.to_string());
            Some(ListRow { authority: authority.name(), state, here: said(ours), there: said(theirs) })
        };
        CaId::ALL.into_iter().filter_map(row).collect()
    }

    fn contradictions(&self, lists: &[ListRow]) -> Vec<String> {
        let mut findings = Vec::new();
        let there = self.receipt.as_ref().and_then(|receipt| receipt.issue.as_ref()).map(|issue| issue.revision);
        if let Some(there) = there.filter(|there| *there > self.revision) {
            findings.push(format!(
                "what it has was packed when this directory's journal had {there} lines; it has {}: this is an older copy",
                self.revision
            ));
        }
        let or_none = |said: &Option<String>| said.clone().unwrap_or_else(|| "none".to_owned());
        for list in lists.iter().filter(|list| matches!(list.state, ListState::Ahead | ListState::Diverging)) {
            let (name, here, there) = (list.authority, or_none(&list.here), or_none(&list.there));
            findings.push(format!("two lists of {name} go apart: here {here}, on the node {there}"));
        }
        findings
    }

    fn next(&self, standing: Standing, shipped: Shipped, is_old: bool, components: &[ComponentRow]) -> Vec<String> {
        let (dir, node) = (shell_path(self.directory), shell_word(&self.node.name));
        let confirm = format!("on the node, make its receipt: kpki export --verify {node} --receipt -o json");
        let archive = shell_path(format!("{}.tar.gz", self.node.name));
        let ship = format!("pack it, and unpack it on the node: kpki export {node} --out {archive} --dir {dir}");
        let mut next = Vec::new();
        match (standing, &self.unrecorded) {
            (Standing::Done | Standing::Removed, None) => return next,
            (_, Some(file)) => {
                next.push(format!("accept its receipt: kpki nodes merge {} --dir {dir}", shell_path(file)));
                return next;
            }
            (Standing::Contradicts, None) => {
                next.push(format!(
                    "on the node, make a new receipt, and merge it here: kpki export --verify {node} --receipt -o json"
                ));
                return next;
            }
            (Standing::Waiting, None) if is_old && shipped == Shipped::Current => next.push(confirm.clone()),
            (Standing::Waiting, None) if is_old => next.push(ship),
            (Standing::Waiting, None) => {}
        }
        if is_old {
            return next;
        }
        for one in components.iter().filter(|one| !one.current) {
            match readers::command(&one.component).filter(|_| one.running == "no") {
                Some(command) => next.push(format!("on the node, restart {}: {command}", one.component)),
                None if next.contains(&confirm) => {}
                None => next.push(confirm.clone()),
            }
        }
        next
    }
}
