//! Edges for people: a matrix of clients and servers, nodes taken together, and below it what is not accepted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use crate::report::form::Screen;
use crate::report::table::{counted, line, table};
use crate::verify::{Edge, EdgeState, Half};

/// Servers with a column of their own, and its heading. All others share the last one.
const COLUMNS: [(&str, &str); 4] =
    [("apiserver", "APISERVER"), ("kubelet-serving", "KUBELET"), ("etcd-server", "ETCD"), ("etcd-peer", "ETCD-PEER")];
const OTHERS: &str = "OTHERS";

/// How many pairs with one reason are named.
const NAMED: usize = 3;

pub fn write(edges: &[Edge], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if edges.is_empty() {
        return Ok(());
    }
    let counts = EdgeState::ALL.into_iter().filter_map(|state| {
        let count = edges.iter().filter(|edge| edge.state() == state).count();
        (count > 0).then(|| format!("{count} {}", state.name()))
    });
    let counts: Vec<String> = counts.collect();
    writeln!(out)?;
    line(out, format_args!("Connections: {}", counts.join(", ")))?;
    let used: Vec<usize> = (0..=COLUMNS.len()).filter(|at| edges.iter().any(|edge| column(edge) == *at)).collect();
    let headings = used.iter().map(|at| COLUMNS.get(*at).map_or(OTHERS, |(_, heading)| *heading));
    let headings: Vec<&str> = ["CLIENT"].into_iter().chain(headings).collect();
    let rows = clients(edges).into_iter().map(|client| {
        let of = |at: &usize| edges.iter().filter(|edge| edge.client.name == client && column(edge) == *at).collect();
        [client.to_owned()].into_iter().chain(used.iter().map(|at| cell(of(at)))).collect::<Vec<String>>()
    });
    table(out, screen.width, &headings, rows)?;
    details(edges, screen.wide, out)
}

/// In the order in which they come first.
fn clients(edges: &[Edge]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for edge in edges {
        if !all.contains(&edge.client.name.as_str()) {
            all.push(&edge.client.name);
        }
    }
    all
}

fn column(edge: &Edge) -> usize {
    COLUMNS.iter().position(|(name, _)| *name == edge.server.name).unwrap_or(COLUMNS.len())
}

/// The worst of several pairs; with numbers where there are several.
fn cell(edges: Vec<&Edge>) -> String {
    let Some(worst) = edges.iter().map(|edge| edge.state()).max() else { return String::new() };
    let count = edges.iter().filter(|edge| edge.state() == worst).count();
    let word = match worst {
        EdgeState::NotOnDisk => "-",
        EdgeState::NotLookedAt => "?",
        EdgeState::Accepted | EdgeState::Half | EdgeState::Refused => worst.name(),
    };
    match (count, edges.len()) {
        (1, 1) => word.to_owned(),
        (all, of) if all == of => format!("{word} {of}"),
        (some, of) => format!("{word} {some}/{of}"),
    }
}

/// Each reason once, the worst first. That a tree never holds some files is no news.
fn details(edges: &[Edge], wide: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut reasons: BTreeMap<(Reverse<EdgeState>, String), Vec<&Edge>> = BTreeMap::new();
    let is_news = |edge: &&Edge| wide || matches!(edge.state(), EdgeState::Refused | EdgeState::NotLookedAt);
    for edge in edges.iter().filter(is_news) {
        for why in reasons_of(edge) {
            reasons.entry((Reverse(edge.state()), why)).or_default().push(edge);
        }
    }
    for ((Reverse(state), why), of) in reasons {
        line(out, format_args!("  {}: {}: {why}", state.name(), pairs(&of)))?;
    }
    Ok(())
}

/// Of a refusal nothing but the refusal counts.
fn reasons_of(edge: &Edge) -> BTreeSet<String> {
    let is_refused = edge.state() == EdgeState::Refused;
    let halves = [("client", &edge.by_client), ("server", &edge.by_server)];
    let counts = |(_, half): &(&str, &Half)| !is_refused || matches!(half, Half::Refused(_));
    halves.into_iter().filter(counts).filter_map(|(side, half)| said(side, half)).collect()
}

fn said(side: &str, half: &Half) -> Option<String> {
    match half {
        Half::Accepted => None,
        Half::Refused(refused) => Some(format!("the {side} refuses, {}", refused.found)),
        Half::NotOnDisk => Some("a certificate or a bundle for it is not in this tree".to_owned()),
        Half::NotLookedAt { path, why } => Some(format!("{path}, {why}")),
        Half::Elsewhere(why) => Some((*why).to_owned()),
    }
}

fn pairs(of: &[&Edge]) -> String {
    let named = of.iter().take(NAMED).map(|edge| format!("{} -> {}", edge.client, edge.server));
    let named: Vec<String> = named.collect();
    match of.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {}", named.join(", "), counted(more, "more pair")),
    }
}
