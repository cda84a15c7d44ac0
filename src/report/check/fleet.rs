//! Many trees: a line per cluster, the worst first, then the worst items of them all.

use std::collections::BTreeMap;

use super::result::{Check, Line, Tone};
use super::{cells, verdict};
use crate::audit::{Counts, Judged, JudgedTree, State};

/// How many clusters and items are shown without `--top`.
const TOP: usize = 10;

struct Cluster<'a> {
    name: &'a str,
    trees: usize,
    counts: Counts,
    first: Option<(i64, &'a Judged)>,
}

pub fn lines(check: &Check) -> Vec<Line> {
    let top = check.selection.top.unwrap_or(TOP);
    let mut clusters = clusters(&check.trees);
    clusters.sort_by(|a, b| {
        let first = |cluster: &Cluster<'_>| cluster.first.map_or(i64::MAX, |(residual, _)| residual);
        b.counts.worst().cmp(&a.counts.worst()).then_with(|| first(a).cmp(&first(b))).then_with(|| a.name.cmp(b.name))
    });
    let rows: Vec<(Vec<String>, Tone)> = clusters.iter().take(top).map(row).collect();
    let mut lines = vec![Line::plain("")];
    lines.extend(cells::lines(
        &["CLUSTER", "PLACES", "CERTIFICATES", "FIRST TO END", "EXPIRES", "RESIDUAL TIME", "STATE"],
        &rows,
    ));
    if clusters.len() > top {
        lines.push(Line::plain(format!("and {} more clusters", clusters.len() - top)));
    }
    let worst = check.worst(top);
    if !worst.is_empty() {
        lines.push(Line::plain(""));
        let rows: Vec<(Vec<String>, Tone)> = worst.iter().map(|(tree, judged)| item(tree, judged)).collect();
        lines.extend(cells::lines(&["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "STATE", "PLACE"], &rows));
    }
    lines.extend(verdict::hidden(check, worst.len()));
    lines
}

fn clusters(trees: &[JudgedTree]) -> Vec<Cluster<'_>> {
    let mut grouped: BTreeMap<&str, Vec<&JudgedTree>> = BTreeMap::new();
    for tree in trees {
        grouped.entry(tree.cluster.as_deref().unwrap_or(&tree.root)).or_default().push(tree);
    }
    grouped.into_iter().map(|(name, trees)| cluster(name, &trees)).collect()
}

fn cluster<'a>(name: &'a str, trees: &[&'a JudgedTree]) -> Cluster<'a> {
    let items = || trees.iter().flat_map(|tree| &tree.items);
    let first = items().filter_map(|judged| Some((judged.residual?, judged))).min_by_key(|(residual, _)| *residual);
    Cluster { name, trees: trees.len(), counts: Counts::of(items()), first }
}

fn row(cluster: &Cluster<'_>) -> (Vec<String>, Tone) {
    let worst = cluster.counts.worst();
    let state = match worst {
        State::Ok => "ok".to_owned(),
        worst => format!("{} ({})", worst.words(), cluster.counts.get(worst)),
    };
    let first = cluster.first.map(|(_, judged)| judged);
    let cells = vec![
        cluster.name.to_owned(),
        cluster.trees.to_string(),
        cluster.counts.total().to_string(),
        first.map(cells::name).unwrap_or_default(),
        first.map(cells::expires).unwrap_or_default(),
        first.map(cells::residual).unwrap_or_default(),
        state,
    ];
    (cells, Tone::of(worst))
}

fn item(tree: &JudgedTree, judged: &Judged) -> (Vec<String>, Tone) {
    let row = vec![
        cells::name(judged),
        cells::expires(judged),
        cells::residual(judged),
        cells::state(judged),
        cells::place(tree),
    ];
    (row, Tone::of(judged.state))
}
