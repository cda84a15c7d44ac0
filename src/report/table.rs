//! Tables for people: a verdict, then columns as kubectl draws them.

use std::collections::BTreeMap;

use comfy_table::{ContentArrangement, Table, presets};
use time::OffsetDateTime;

use super::{Init, Item, Outcome, Width};
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
    }
    text
}

fn verdict(report: &Init) -> String {
    let count = |action: &str| report.items.iter().filter(|item| item.action == action).count();
    let tree = match &report.node {
        Some(node) => format!("cluster {}, node {node}, in {}", report.cluster, report.directory),
        None => format!("cluster {}, cluster directory {}", report.cluster, report.directory),
    };
    let (created, replaced, kept) = (count("create"), count("replace"), count("keep"));
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

fn entries(items: &[&Item], now: OffsetDateTime, width: Width, wide: bool) -> String {
    let mut header = vec!["ENTRY", "ACTION", "SUBJECT", "NAMES", "EXPIRES", "PATH"];
    if wide {
        header.extend(["ALGORITHM", "USAGES", "SERIAL", "ISSUER"]);
    }
    let mut table = plain(width, &header);
    for item in items {
        let id = match &item.node {
            Some(node) => format!("{node}/{}", item.name),
            None => item.name.clone(),
        };
        let facts = item.facts.as_ref();
        let names = facts.map(|f| f.sans.join(", ")).unwrap_or_default();
        let expires = facts.map(|f| expiry(f.not_after, now)).unwrap_or_default();
        let mut row = vec![
            id,
            item.action.to_owned(),
            facts.map(|f| f.subject.clone()).unwrap_or_default(),
            names,
            expires,
            item.paths.first().cloned().unwrap_or_default(),
        ];
        if wide {
            row.push(item.algorithm.clone().unwrap_or_default());
            row.push(facts.map(|f| f.usages.join(", ")).unwrap_or_default());
            row.push(facts.and_then(|f| f.serial.clone()).unwrap_or_default());
            row.push(facts.map(|f| f.issuer.clone()).unwrap_or_default());
        }
        table.add_row(row.iter().map(|cell| sanitise(cell)));
    }
    finish(&table)
}

fn summary(nodes: &BTreeMap<&str, Vec<&Item>>, now: OffsetDateTime, width: Width) -> String {
    let mut table = plain(width, &["NODE", "ENTRIES", "FIRST EXPIRY", "PATH"]);
    for (node, items) in nodes {
        let first = items.iter().filter_map(|item| item.facts.as_ref()).map(|facts| facts.not_after).min();
        let first = first.map(|at| expiry(at, now)).unwrap_or_default();
        let path = format!("nodes/{node}");
        table.add_row([sanitise(node), items.len().to_string(), first, path]);
    }
    finish(&table)
}

fn expiry(at: OffsetDateTime, now: OffsetDateTime) -> String {
    format!("{} ({})", rfc3339(at), distance(now, at))
}

fn plain(width: Width, header: &[&str]) -> Table {
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

fn finish(table: &Table) -> String {
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

/// Text out of a certificate or a path must not steer a terminal.
pub fn sanitise(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
