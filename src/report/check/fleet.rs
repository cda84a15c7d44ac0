//! Many trees: a line for each cluster that is not ok and some others, the worst first, then the worst items of them all.

use super::clusters::{self, Cluster};
use super::result::{Check, Line, Tone};
use super::{cells, verdict};
use crate::audit::{Judged, JudgedTree, State};
use crate::report::form::Width;

/// How many clusters that are ok, and without `--top` how many items are shown.
const TOP: usize = 10;

pub fn lines(check: &Check, width: Width) -> Vec<Line> {
    let top = check.selection.top.unwrap_or(TOP);
    let selected = check.selected();
    let clusters = clusters::of(&selected);
    // A cluster that something is wrong with is never left out.
    let shown = clusters.iter().enumerate().filter(|(i, cluster)| *i < TOP || cluster.counts.worst() > State::Ok);
    let rows: Vec<(Vec<String>, Tone)> = shown.map(|(_, cluster)| row(cluster)).collect();
    let mut lines = vec![Line::plain("")];
    lines.extend(cells::lines(
        &["CLUSTER", "PLACES", "CERTIFICATES", "FIRST TO END", "EXPIRES", "RESIDUAL TIME", "STATE"],
        &rows,
        width,
    ));
    match clusters.len().saturating_sub(rows.len()) {
        0 => {}
        1 => lines.push(Line::plain("and 1 more cluster, which is ok")),
        more => lines.push(Line::plain(format!("and {more} more clusters, which are ok"))),
    }
    let worst = check.worst(top);
    if !worst.is_empty() {
        lines.push(Line::plain(""));
        let rows: Vec<(Vec<String>, Tone)> = worst.iter().map(|(tree, judged)| item(tree, judged)).collect();
        lines.extend(cells::lines(&["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "STATE", "PLACE"], &rows, width));
    }
    lines.extend(verdict::hidden(check, worst.len()));
    lines
}

fn row(cluster: &Cluster<'_>) -> (Vec<String>, Tone) {
    let worst = cluster.counts.worst();
    let state = match worst {
        State::Ok => "ok".to_owned(),
        worst => format!("{} ({})", worst.words(), cluster.counts.get(worst)),
    };
    let cells = vec![
        cluster.name.to_owned(),
        cluster.rows.len().to_string(),
        cluster.counts.total().to_string(),
        cluster.first.map(cells::name).unwrap_or_default(),
        cluster.first.map(cells::expires).unwrap_or_default(),
        cluster.first.map(cells::residual).unwrap_or_default(),
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
