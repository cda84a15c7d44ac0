//! What stands above every table, and what a table leaves out.

use super::result::{Check, Line, Tone};
use crate::audit::{Counts, State};
use crate::clock::{distance, rfc3339};
use crate::report::table::sanitised;

/// The verdict, and what interrupted runs left.
pub fn lines(check: &Check) -> Vec<Line> {
    let left = check.interruptions.iter().map(|one| Line {
        text: sanitised(&format!("note: {}: {}", one.directory, one.text)),
        tone: if one.open { Tone::Warning } else { Tone::Plain },
    });
    let tone = if check.verdict.state == State::Ok { Tone::Good } else { Tone::of(check.verdict.state) };
    std::iter::once(Line { text: sanitised(&text(check)), tone }).chain(left).collect()
}

/// `expired: 11 expired, 3 ok of 14 certificates; admin.conf ended 17m ago`.
pub fn text(check: &Check) -> String {
    let verdict = &check.verdict;
    let total = verdict.counts.total();
    let things = if total == 1 { "certificate" } else { "certificates" };
    let place = if verdict.trees > 1 { format!(" in {} places", verdict.trees) } else { String::new() };
    let mut text = match verdict.state {
        State::Ok => format!("ok: {total} {things}{place}"),
        worst => format!("{}: {} of {total} {things}{place}", worst.words(), counted(&verdict.counts)),
    };
    let first =
        check.items().filter_map(|(tree, judged)| Some((judged.expires?, tree, judged))).min_by_key(|(end, ..)| *end);
    if let Some((end, tree, judged)) = first {
        let item = match (&tree.cluster, verdict.trees > 1) {
            (Some(cluster), true) => format!("{} of {cluster}", judged.item.name),
            _ => judged.item.name.clone(),
        };
        let verb = if end < check.at { "ended first," } else { "ends first," };
        text.push_str(&format!("; {item} {verb} {}", distance(check.at, end)));
    }
    if check.as_of {
        text.push_str(&format!("; as of {}", rfc3339(check.at)));
    }
    text
}

/// `11 expired, 3 ok`: the worst first.
pub fn counted(counts: &Counts) -> String {
    let states = State::ALL.into_iter().rev().filter(|state| *state != State::Absent && counts.get(*state) > 0);
    states.map(|state| format!("{} {}", counts.get(state), state.words())).collect::<Vec<_>>().join(", ")
}

pub fn hidden(check: &Check, shown: usize) -> Option<Line> {
    let total: usize = check.trees.iter().map(|tree| tree.items.len()).sum();
    let hidden = total.saturating_sub(shown);
    (hidden > 0).then(|| Line::plain(format!("{hidden} of {total} are not shown")))
}
