//! One line of bounded length for Nagios, Icinga and their kin: status, what ends first, and perfdata in days.

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

/// The longest line: NRPE and other carriers cut longer ones, and what is cut is read as something else.
const LONGEST: usize = 4096;
/// What of it is for the text.
const TEXT: usize = 1024;

pub fn line(check: &Check) -> String {
    let (word, _) = status(&check.verdict);
    let counted = verdict::counted(&check.verdict.counts);
    let first =
        check.items().filter_map(|(_, judged)| Some((judged.residual?, judged))).min_by_key(|(residual, _)| *residual);
    let first = first.map_or_else(String::new, |(residual, judged)| {
        let left = if residual < 0 { "expired".to_owned() } else { format!("{} left", cells::human(residual)) };
        format!("; {}: {left}", cut(&judged.item.name, TEXT / 4))
    });
    let mut text = format!("CERTIFICATES {word} - {counted}{first}");
    for (i, one) in check.interruptions.iter().enumerate() {
        let next = format!("; {}: {}", one.directory, one.text);
        if text.len() + next.len() > TEXT {
            text.push_str(&format!("; {} more interrupted runs", check.interruptions.len() - i));
            break;
        }
        text.push_str(&next);
    }
    // A bar begins perfdata, so none may stand in the text.
    let text: String = text.replace('|', "/").chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let selected = check.selected();
    let all = selected.iter().flat_map(|(tree, items)| items.iter().map(move |judged| (*tree, *judged)));
    let whole = values(check, all, usize::MAX);
    let room = LONGEST.saturating_sub(text.len() + MARGIN);
    if whole.text.len() < room {
        return format!("{text} |{}", whole.text);
    }
    let (perfdata, left_out) = most_urgent(check, room, whole.count);
    format!("{text}{left_out} |{perfdata}")
}

/// For the bar, and for how much is left out.
const MARGIN: usize = 128;

/// The values that fit, and how many they are.
struct Values {
    text: String,
    count: usize,
}

fn values<'a>(check: &Check, items: impl Iterator<Item = (&'a JudgedTree, &'a Judged)>, room: usize) -> Values {
    let mut values = Values { text: String::new(), count: 0 };
    for one in items.filter_map(|(tree, judged)| value(check, tree, judged)) {
        if values.text.len() + one.len() >= room {
            break;
        }
        values.text.extend([" ", &one]);
        values.count += 1;
    }
    values
}

/// How many are in each state, which every run has, and the most urgent ones that fit.
fn most_urgent(check: &Check, room: usize, total: usize) -> (String, String) {
    let count = |state: State| format!(" {}={};;;0;", state.name(), check.verdict.counts.get(state));
    let states: String = State::ALL.into_iter().filter(|state| *state != State::Absent).map(count).collect();
    let worst = check.worst(check.selection.top.unwrap_or(usize::MAX));
    let urgent = values(check, worst.into_iter(), room.saturating_sub(states.len()));
    let left_out = format!("; of {} more certificates no value is shown", total - urgent.count);
    (states + &urgent.text, left_out)
}

fn cut(text: &str, most: usize) -> String {
    let mut cut: String = text
        .chars()
        .scan(0, |length, c| {
            *length += c.len_utf8();
            (*length <= most).then_some(c)
        })
        .collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
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
