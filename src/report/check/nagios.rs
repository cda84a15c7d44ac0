//! One line for Nagios, Icinga and their kin: status, what ends first, and perfdata in days.

use super::result::Check;
use super::{cells, verdict};
use crate::audit::{Judged, JudgedTree, State, Verdict, windows};

const DAY: i64 = 86_400;

/// The plugin's word and exit status. What cannot be read is unknown, unless something else is critical already: a monitoring
/// system must be able to tell them apart.
pub fn status(verdict: &Verdict) -> (&'static str, u8) {
    let any = |states: &[State]| states.iter().any(|state| verdict.counts.get(*state) > 0);
    if any(&[
        State::Critical,
        State::Expired,
        State::Held,
        State::Revoked,
        State::NotYetValid,
        State::DiffersFromCa,
        State::WrongIssuer,
        State::KeyMismatch,
        State::Missing,
    ]) {
        ("CRITICAL", 2)
    } else if any(&[State::Unreadable]) {
        ("UNKNOWN", 3)
    } else if any(&[State::Warning]) || verdict.state == State::Warning {
        ("WARNING", 1)
    } else {
        ("OK", 0)
    }
}

pub fn line(check: &Check) -> String {
    let (word, _) = status(&check.verdict);
    let left = check.interruptions.iter().map(|one| format!("; {}: {}", one.directory, one.text)).collect::<String>();
    let counted = verdict::counted(&check.verdict.counts);
    let first =
        check.items().filter_map(|(_, judged)| Some((judged.residual?, judged))).min_by_key(|(residual, _)| *residual);
    let first = first.map_or_else(String::new, |(residual, judged)| {
        let left = if residual < 0 { "expired".to_owned() } else { format!("{} left", cells::human(residual)) };
        format!("; {}: {left}", judged.item.name)
    });
    let perfdata: Vec<String> = check
        .selected()
        .iter()
        .flat_map(|(tree, items)| items.iter().filter_map(|judged| value(check, tree, judged)))
        .collect();
    // A bar begins perfdata, so none may stand in the text.
    let text = format!("CERTIFICATES {word} - {counted}{first}{left}").replace('|', "/");
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("{text} | {}", perfdata.join(" "))
}

/// `'name'=days;warn;crit;;`: a value below its threshold alerts, so the ranges are `N:`.
fn value(check: &Check, tree: &JudgedTree, judged: &Judged) -> Option<String> {
    let residual = judged.residual?;
    let (warning, critical) = windows(&judged.item, &tree.policy)?;
    let mut label = cells::name(judged);
    if check.trees.len() > 1 {
        let place = match (&tree.cluster, &tree.node) {
            (Some(cluster), Some(node)) => format!("{cluster}/{node}"),
            (Some(cluster), None) => cluster.clone(),
            _ => tree.root.clone(),
        };
        label = format!("{place}/{label}");
    }
    // Quotes are doubled, = and control characters are not allowed in a label.
    let label: String = label.chars().map(|c| if c.is_control() || c == '=' || c == '|' { '_' } else { c }).collect();
    let label = label.replace('\'', "''");
    Some(format!("'{label}'={};{}:;{}:;;", days(residual), days(warning), days(critical)))
}

/// Days with two decimals, rounded down: a hand-made fixed point, floats have no place in a boundary.
fn days(seconds: i64) -> String {
    let hundredths = (i128::from(seconds) * 100).div_euclid(i128::from(DAY));
    let sign = if hundredths < 0 { "-" } else { "" };
    let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:02}") }
}
