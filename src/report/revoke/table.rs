//! For people: a verdict, the certificates, the lists, who reads them.

use time::OffsetDateTime;

use super::{Action, Entry, List, Revocation, Signing};
use crate::clock::{distance, rfc3339};
use crate::report::Width;
use crate::report::table::{finish, plain, sanitised};

pub fn render(report: &Revocation, now: OffsetDateTime, width: Width, wide: bool) -> String {
    let mut text = format!("{}\n", sanitised(&verdict(report)));
    let width = width.filter(|_| !wide);
    if !report.entries.is_empty() {
        let mut table = plain(width, &["CERTIFICATE", "ACTION", "CA", "SERIAL", "SINCE", "REASON"]);
        for entry in &report.entries {
            table.add_row(row(entry).map(|cell| sanitised(&cell)));
        }
        text.push('\n');
        text.push_str(&finish(&table));
    }
    if !report.lists.is_empty() {
        let mut table = plain(width, &["REVOCATION LIST", "ACTION", "NUMBER", "ENTRIES", "NEXT UPDATE", "FILES"]);
        for list in &report.lists {
            table.add_row(line(list, now, wide).map(|cell| sanitised(&cell)));
        }
        text.push('\n');
        text.push_str(&finish(&table));
    }
    if report.verb == "hold" && !report.in_use.is_empty() {
        text.push_str(&format!(
            "\nStill in use: {}; what reads the list refuses it until kpki release\n",
            sanitised(&report.in_use.join(", "))
        ));
    } else if !report.in_use.is_empty() {
        text.push_str(&format!(
            "\nStill in use: {}; make anew, with a new key: kpki renew {} --dir {}\n",
            sanitised(&report.in_use.join(", ")),
            sanitised(&report.in_use.join(" ")),
            sanitised(&report.directory)
        ));
    }
    if !report.notes.is_empty() {
        text.push('\n');
    }
    text.extend(report.notes.iter().map(|note| format!("- {}\n", sanitised(note))));
    text
}

fn verdict(report: &Revocation) -> String {
    let place = match &report.cluster {
        Some(cluster) => format!("cluster {cluster}, in {}", report.directory),
        None => report.directory.clone(),
    };
    let changed = report.entries.iter().filter(|entry| entry.action != Action::Unchanged).count();
    let things = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let (done, would) = match report.verb {
        "hold" => ("held", "would hold"),
        "release" => ("released", "would release"),
        "revoke" => ("revoked", "would revoke"),
        _ => ("signed", "would sign"),
    };
    let signed = report.signed();
    match (report.entries.is_empty(), changed, signed, report.dry_run) {
        (true, _, 0, _) => format!("nothing to do, no list is due: {place}"),
        (true, _, signed, false) => format!("signed {}: {place}", things(signed, "list")),
        (true, _, signed, true) => format!("would sign {} (nothing was written): {place}", things(signed, "list")),
        (false, 0, ..) => format!("nothing to do, {}: {place}", already(report)),
        (false, changed, _, false) => format!("{done} {}: {place}", things(changed, "certificate")),
        (false, changed, _, true) => {
            format!("{would} {} (nothing was written): {place}", things(changed, "certificate"))
        }
    }
}

fn already(report: &Revocation) -> &'static str {
    match report.verb {
        "release" => "no list names it",
        "hold" => "it is held already",
        _ => "it is revoked already",
    }
}

fn row(entry: &Entry) -> [String; 6] {
    let since = entry.since.map(rfc3339).unwrap_or_default();
    let invalid = entry.invalid_since.map(|at| format!(" (invalid since {})", rfc3339(at))).unwrap_or_default();
    [
        entry.name.clone().unwrap_or_else(|| "-".to_owned()),
        entry.action.name().to_owned(),
        entry.authority.to_owned(),
        entry.serial.clone(),
        since + &invalid,
        entry.reason.clone().unwrap_or_default(),
    ]
}

/// How many files are named.
const FEW: usize = 2;

fn line(list: &List, now: OffsetDateTime, wide: bool) -> [String; 6] {
    let next = list.next_update.map(|at| format!("{} ({})", rfc3339(at), distance(now, at))).unwrap_or_default();
    let few = if wide { usize::MAX } else { FEW };
    let more = list.paths.len().checked_sub(few).filter(|more| *more > 0);
    let more = more.map(|more| format!(", and {more} more")).unwrap_or_default();
    let paths = list.paths.iter().take(few).cloned().collect::<Vec<_>>().join(", ");
    let action = match (&list.why, list.action) {
        (Some(why), Signing::Keep | Signing::Left) => format!("{}: {why}", list.action.name()),
        _ => list.action.name().to_owned(),
    };
    [list.name.clone(), action, list.number.clone().unwrap_or_default(), list.entries.to_string(), next, paths + &more]
}
