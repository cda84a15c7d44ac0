//! For people: a verdict, then a row per entry, or per node where there are many.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use time::OffsetDateTime;

use super::document::{Init, Item, Outcome};
use crate::catalog::paths::SUPER_ADMIN_CONF;
use crate::files::shell_path;
use crate::report::certificate::Facts;
use crate::report::form::{Report, Screen};
use crate::report::ship::ship_lines;
use crate::report::table::{counted, end, line, lines, table, table_without};

/// From this many nodes on, a table shows one line per node.
const MANY_NODES: usize = 5;

impl Report for Init {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, verdict(self))?;
        writeln!(out)?;
        let nodes = per_node(self);
        if screen.wide || nodes.len() < MANY_NODES {
            entries(&self.items.iter().collect::<Vec<_>>(), screen, out)?;
        } else {
            let shared: Vec<&Item> = self.items.iter().filter(|item| item.id.node.is_none()).collect();
            entries(&shared, screen, out)?;
            writeln!(out)?;
            summary(&nodes, screen, out)?;
            let changed = matches!(self.outcome, Outcome::Completed | Outcome::Planned);
            let is_change = |item: &&Item| item.action == "replace" || (changed && item.action == "create");
            let changes: Vec<&Item> =
                self.items.iter().filter(|item| item.id.node.is_some()).filter(is_change).collect();
            if !changes.is_empty() && changes.len() < self.items.len() / 2 {
                writeln!(out)?;
                entries(&changes, screen, out)?;
            }
        }
        let replaced = self.items.iter().filter(|item| item.action == "replace" && !item.reasons.is_empty());
        let reissued = replaced.map(|item| format!("{} is re-issued: {}", item.id, item.reasons.join("; ")));
        lines(out, "", reissued)?;
        let elsewhere = self.items.iter().filter_map(|item| Some(format!("{}: {}", item.id, item.key.as_ref()?)));
        lines(out, "", elsewhere)?;
        if let Some(first) = self.unattended.first() {
            line(
                out,
                format!(
                    "A run without a terminal, such as a scheduled renewal, signs by {} only with the passphrase: name it in the \
                     profile (authorities.{first}.key.passphraseFile or passphraseEnv), or give that run --key-passphrase-file or \
                     --key-passphrase-env",
                    self.unattended.join(", ")
                ),
            )?;
        }
        if let Some(path) = &self.bootstrap_manifests {
            let master = self.items.iter().find(|item| item.id.name == "super-admin.conf");
            let master = master.and_then(|item| item.paths.first()).map_or("super-admin.conf", String::as_str);
            let conf = shell_path(format!("{}/{master}", self.directory));
            writeln!(out)?;
            line(out, "When the API server runs, and before admin.conf is used:")?;
            line(out, format!("    kubectl --kubeconfig {conf} apply -f {}", shell_path(path)))?;
        }
        ship(self, out)?;
        waiting(self, out)?;
        if self.items.iter().any(|item| item.action == "request" && !item.has_issuer) {
            let (dir, requests) = (shell_path(&self.directory), format!("{}/.kpki/requests", self.directory));
            writeln!(out)?;
            line(
                out,
                format!(
                    "Have the authority's owner sign the requests in {requests}; then: kpki import CERT... --dir {dir}"
                ),
            )?;
        }
        Ok(())
    }
}

/// Why each waits for its issuer.
fn waiting(report: &Init, out: &mut dyn Write) -> io::Result<()> {
    lines(out, "", report.whys(|item| item.action == "request" && item.has_issuer))
}

/// The archives of the nodes that have something new, in a cluster directory that was there.
fn ship(report: &Init, out: &mut dyn Write) -> io::Result<()> {
    let is_new = |item: &&Item| matches!(item.action, "create" | "replace");
    let nodes = |items: Vec<&Item>| items.into_iter().filter_map(|item| item.id.node.clone()).collect::<BTreeSet<_>>();
    // The master kubeconfig need not be there.
    let is_missing = |item: &&Item| matches!(item.action, "request" | "left") && item.id.name != SUPER_ADMIN_CONF;
    let unfinished = nodes(report.items.iter().filter(is_missing).collect());
    let mut nodes = nodes(report.items.iter().filter(is_new).collect());
    // What is not complete cannot be packed.
    nodes.retain(|node| !unfinished.contains(node));
    let is_added_to = report.items.iter().any(|item| item.action == "keep");
    if !is_added_to {
        return Ok(());
    }
    ship_lines(&report.directory, nodes.iter().map(String::as_str), report.outcome == Outcome::Planned, out)
}

fn verdict(report: &Init) -> String {
    let count = |action: &str| report.items.iter().filter(|item| item.action == action).count();
    let tree = match &report.node {
        Some(node) => format!("cluster {}, node {node}, in {}", report.cluster, report.directory),
        None => format!("cluster {}, cluster directory {}", report.cluster, report.directory),
    };
    let (created, replaced, kept) = (count("create"), count("replace"), count("keep"));
    let tree = match count("request") {
        0 => tree,
        1 => format!("1 waits for an external authority: {tree}"),
        waiting => format!("{waiting} wait for an external authority: {tree}"),
    };
    let tree = match count("left") {
        0 => tree,
        1 => format!("1 is left, since an authority's key could not be opened: {tree}"),
        left => format!("{left} are left, since an authority's key could not be opened: {tree}"),
    };
    match report.outcome {
        Outcome::Created => format!("created {}: {tree}", counted(created, "entry")),
        Outcome::Completed => {
            format!("created {created}, replaced {replaced}, kept {}: {tree}", counted(kept, "entry"))
        }
        Outcome::Unchanged => {
            let fit = if kept == 1 { "exists and fits" } else { "exist and fit" };
            match report.left_to_renew.len() {
                0 => format!("nothing to do, {} {fit}: {tree}", counted(kept, "entry")),
                left => format!(
                    "nothing was made, {left} of {} do not fit until they are renewed: {tree}",
                    counted(kept, "entry")
                ),
            }
        }
        Outcome::Planned => {
            format!(
                "would create {created}, replace {replaced}, keep {} (nothing was written): {tree}",
                counted(kept, "entry")
            )
        }
    }
}

fn per_node(report: &Init) -> BTreeMap<&str, Vec<&Item>> {
    let mut nodes: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in &report.items {
        if let Some(node) = item.id.node.as_deref() {
            nodes.entry(node).or_default().push(item);
        }
    }
    nodes
}

/// Title, and a cell.
type Column = (&'static str, fn(&Item, OffsetDateTime) -> String);

const COLUMNS: &[Column] = &[
    ("ENTRY", |item, _| item.id.to_string()),
    (ACTION, |item, _| item.action.to_owned()),
    ("SUBJECT", |item, _| fact(item, |f| f.subject.clone())),
    ("NAMES", |item, _| fact(item, |f| f.sans.join(", "))),
    ("EXPIRES", |item, now| fact(item, |f| end(f.not_after, now))),
    ("PATH", |item, _| item.paths.first().cloned().unwrap_or_default()),
];

/// What a narrow screen has no room for follows from the entry's name.
const OPTIONAL: &[&str] = &["PATH", "SUBJECT", "NAMES"];

const WIDE: &[Column] = &[
    ("ALGORITHM", |item, _| item.algorithm.clone().unwrap_or_default()),
    ("USAGES", |item, _| fact(item, |f| f.usages.join(", "))),
    ("SERIAL", |item, _| fact(item, |f| f.serial.clone().unwrap_or_default())),
    ("ISSUER", |item, _| fact(item, |f| f.issuer.clone())),
];

const ACTION: &str = "ACTION";

fn fact(item: &Item, pick: impl Fn(&Facts) -> String) -> String {
    item.facts.as_ref().map(pick).unwrap_or_default()
}

fn entries(items: &[&Item], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    // The verdict says what happened to all; the column is for when it differs.
    let mixed = items.windows(2).any(|pair| matches!(pair, [a, b] if a.action != b.action));
    let more = if screen.wide { WIDE } else { &[] };
    let columns: Vec<&Column> = COLUMNS.iter().chain(more).filter(|column| mixed || column.0 != ACTION).collect();
    let header: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let rows = items.iter().map(|item| columns.iter().map(|(_, cell)| cell(item, screen.now)).collect::<Vec<_>>());
    table_without(out, screen.width, &header, OPTIONAL, rows)
}

fn summary(nodes: &BTreeMap<&str, Vec<&Item>>, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let rows = nodes.iter().map(|(node, items)| {
        let first = items.iter().filter_map(|item| item.facts.as_ref()).map(|facts| facts.not_after).min();
        let first = first.map(|at| end(at, screen.now)).unwrap_or_default();
        [(*node).to_owned(), items.len().to_string(), first, format!("nodes/{node}")]
    });
    table(out, screen.width, &["NODE", "ENTRIES", "FIRST EXPIRY", "PATH"], rows)
}
