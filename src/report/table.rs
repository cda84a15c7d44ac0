//! Tables for people: a verdict, then columns as kubectl draws them.

use std::collections::BTreeMap;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use time::OffsetDateTime;

use super::{Facts, Init, Item, Outcome, Width};
use crate::clock::{distance, rfc3339};

/// From this many nodes on, a table shows one line per node.
const MANY_NODES: usize = 5;

pub fn init(report: &Init, now: OffsetDateTime, width: Width, wide: bool) -> String {
    let mut text = verdict(report);
    text.push_str("\n\n");
    let nodes = per_node(report);
    let shared: Vec<&Item> = report.items.iter().filter(|item| item.node.is_none()).collect();
    if wide || nodes.len() < MANY_NODES {
        let all: Vec<&Item> = report.items.iter().collect();
        text.push_str(&entries(&all, now, width, wide));
    } else {
        text.push_str(&entries(&shared, now, width, wide));
        text.push('\n');
        text.push_str(&summary(&nodes, now, width));
        let changed = report.outcome == Outcome::Completed || report.outcome == Outcome::Planned;
        let changes: Vec<&Item> = report
            .items
            .iter()
            .filter(|item| item.node.is_some() && (item.action == "replace" || (changed && item.action == "create")))
            .collect();
        if !changes.is_empty() && changes.len() < report.items.len() / 2 {
            text.push('\n');
            text.push_str(&entries(&changes, now, width, wide));
        }
    }
    let anew = || report.items.iter().filter(|item| item.action == "replace" && !item.reasons.is_empty());
    for item in anew() {
        text.push_str(&format!("\n{} is made anew: {}", id(item), sanitised(&item.reasons.join("; "))));
    }
    if anew().next().is_some() {
        text.push('\n');
    }
    if report.items.iter().any(|item| item.action == "request") {
        let dir = sanitised(&report.directory);
        text.push_str(&format!(
            "\nHave the authority's owner sign the requests in {dir}/.kpki/requests; then: kpki import CERT... --dir {dir}\n"
        ));
    }
    text
}

/// `NODE/NAME` in a cluster directory, `NAME` otherwise.
fn id(item: &Item) -> String {
    match &item.node {
        Some(node) => format!("{node}/{}", item.name),
        None => item.name.clone(),
    }
}

fn verdict(report: &Init) -> String {
    let count = |action: &str| report.items.iter().filter(|item| item.action == action).count();
    let tree = match &report.node {
        Some(node) => format!("cluster {}, node {node}, in {}", report.cluster, report.directory),
        None => format!("cluster {}, cluster directory {}", report.cluster, report.directory),
    };
    let (created, replaced, kept) = (count("create"), count("replace"), count("keep"));
    let waiting = match count("request") {
        0 => String::new(),
        one => format!("{one} wait for an external authority: "),
    };
    let tree = waiting + &tree;
    match report.outcome {
        Outcome::Created => format!("created {created} entries: {tree}"),
        Outcome::Completed => format!("created {created}, replaced {replaced}, kept {kept} entries: {tree}"),
        Outcome::Unchanged => format!("nothing to do, {kept} entries are there and fit: {tree}"),
        Outcome::Planned => {
            format!("would create {created}, replace {replaced}, keep {kept} entries (nothing was written): {tree}")
        }
    }
}

fn per_node(report: &Init) -> BTreeMap<&str, Vec<&Item>> {
    let mut nodes: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in &report.items {
        if let Some(node) = item.node.as_deref() {
            nodes.entry(node).or_default().push(item);
        }
    }
    nodes
}

/// A column of the table: from which width on it is shown, and whether its cells may be broken into lines.
struct Column {
    title: &'static str,
    from: u16,
    breaks: bool,
    cell: fn(&Item, OffsetDateTime) -> String,
}

const fn column(title: &'static str, from: u16, breaks: bool, cell: fn(&Item, OffsetDateTime) -> String) -> Column {
    Column { title, from, breaks, cell }
}

/// What a narrow screen has no room for follows from the entry's name.
const COLUMNS: &[Column] = &[
    column("ENTRY", 0, false, |item, _| id(item)),
    column(ACTION, 0, false, |item, _| item.action.to_owned()),
    column("SUBJECT", 110, true, |item, _| fact(item, |f| f.subject.clone())),
    column("NAMES", 75, true, |item, _| fact(item, |f| f.sans.join(", "))),
    column("EXPIRES", 0, false, |item, now| fact(item, |f| expiry(f.not_after, now))),
    column("PATH", 150, false, |item, _| item.paths.first().cloned().unwrap_or_default()),
];

const WIDE: &[Column] = &[
    column("ALGORITHM", 0, false, |item, _| item.algorithm.clone().unwrap_or_default()),
    column("USAGES", 0, true, |item, _| fact(item, |f| f.usages.join(", "))),
    column("SERIAL", 0, false, |item, _| fact(item, |f| f.serial.clone().unwrap_or_default())),
    column("ISSUER", 0, true, |item, _| fact(item, |f| f.issuer.clone())),
];

const ACTION: &str = "ACTION";

fn fact(item: &Item, pick: impl Fn(&Facts) -> String) -> String {
    item.facts.as_ref().map(pick).unwrap_or_default()
}

fn entries(items: &[&Item], now: OffsetDateTime, width: Width, wide: bool) -> String {
    // Wide is for scrolling and for grep: its lines are never broken.
    let width = width.filter(|_| !wide);
    // The verdict says what happened to all; the column is for when it differs.
    let mixed = items.windows(2).any(|pair| matches!(pair, [a, b] if a.action != b.action));
    let shown = |column: &&Column| width.is_none_or(|w| w >= column.from) && (mixed || column.title != ACTION);
    let more = if wide { WIDE } else { &[] };
    let columns: Vec<&Column> = COLUMNS.iter().chain(more).filter(shown).collect();
    let mut table = plain(width, &columns.iter().map(|column| column.title).collect::<Vec<_>>());
    for item in items {
        table.add_row(columns.iter().map(|column| sanitised(&(column.cell)(item, now))));
    }
    for (column, described) in table.column_iter_mut().zip(&columns) {
        if !described.breaks {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    finish(&table)
}

fn summary(nodes: &BTreeMap<&str, Vec<&Item>>, now: OffsetDateTime, width: Width) -> String {
    let mut table = plain(width, &["NODE", "ENTRIES", "FIRST EXPIRY", "PATH"]);
    for (node, items) in nodes {
        let first = items.iter().filter_map(|item| item.facts.as_ref()).map(|facts| facts.not_after).min();
        let first = first.map(|at| expiry(at, now)).unwrap_or_default();
        let path = format!("nodes/{node}");
        table.add_row([sanitised(node), items.len().to_string(), first, path]);
    }
    finish(&table)
}

fn expiry(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format!("{} ({})", rfc3339(at), distance(now, at))
}

pub(super) fn plain(width: Width, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    table.set_header(header.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

pub(super) fn finish(table: &Table) -> String {
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// Text out of a certificate or a path must not steer a terminal: no control characters, and none that reorder what is read
/// (Unicode bidirectional controls).
pub fn sanitised(text: &str) -> String {
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// Nothing in it would be changed by [`sanitised`].
pub fn is_harmless(text: &str) -> bool {
    !text.chars().any(steers)
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
