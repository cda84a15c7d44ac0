//! kubeadm's table, with a verdict above it, a column for the state where there is something to say, and what to do below.

use super::cells::{self, AUTHORITY, Block, Column, EXPIRES, EXTERNAL, RESIDUAL, STATE};
use super::result::{Check, Line};
use super::{advice, fleet, notes, verdict};
use crate::audit::{Judged, State};
use crate::report::form::Width;
use crate::report::table::sanitised;

/// From this many trees on a table begins with a line per cluster and shows the worst items only.
const MANY: usize = 10;

pub fn lines(check: &Check, width: Width) -> Vec<Line> {
    let mut lines = verdict::lines(check);
    if check.trees.len() >= MANY || (check.trees.len() > 1 && check.selection.top.is_some()) {
        lines.extend(fleet::lines(check, width));
    } else {
        let selected = check.selected();
        let shown: usize = selected.iter().map(|(_, items)| items.len()).sum();
        for (tree, items) in selected.iter().filter(|(_, items)| !items.is_empty()) {
            lines.push(Line::plain(""));
            if check.trees.len() > 1 {
                lines.push(Line::strong(sanitised(&cells::place(tree))));
            }
            lines.extend(blocks(items, width));
        }
        lines.extend(verdict::hidden(check, shown));
    }
    for (i, text) in notes::texts(check).iter().enumerate() {
        lines.extend((i == 0).then(|| Line::plain("")));
        lines.push(Line::plain(format!("note: {}", sanitised(text))));
    }
    lines.extend(advice::lines(&check.advice));
    lines
}

/// The blocks of one tree: certificates, authorities, revocation lists.
fn blocks(items: &[&Judged], width: Width) -> Vec<Line> {
    // kubeadm's table is left as people know it as long as there is nothing to add.
    let with_state = items.iter().any(|judged| judged.state > State::Ok);
    let mut lines = Vec::new();
    for (block, columns) in BLOCKS {
        let items: Vec<&Judged> = items.iter().copied().filter(|judged| cells::block(judged) == block).collect();
        if items.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::plain(""));
        }
        let columns: Vec<Column> = columns.iter().copied().chain(with_state.then_some(STATE)).collect();
        lines.extend(cells::table(&columns, &items, width));
    }
    lines
}

const BLOCKS: [(Block, &[Column]); 3] = [
    (Block::Certificate, &[("CERTIFICATE", cells::name), EXPIRES, RESIDUAL, AUTHORITY, EXTERNAL]),
    (Block::Authority, &[("CERTIFICATE AUTHORITY", cells::name), EXPIRES, RESIDUAL, EXTERNAL]),
    (Block::Crl, &[("REVOCATION LIST", cells::name), EXPIRES, RESIDUAL, AUTHORITY]),
];
