//! For people: a verdict, what became of each certificate, and what to restart.

use time::OffsetDateTime;

use super::{Action, Entry, Outcome, Renew, Restart, Side, Tree};
use crate::clock::{distance, rfc3339};
use crate::report::Width;
use crate::report::table::{finish, plain, sanitised};

/// From this many trees on, each is a line.
const MANY: usize = 5;

pub fn render(report: &Renew, now: OffsetDateTime, width: Width, wide: bool) -> String {
    if let [only] = report.trees.as_slice() {
        return tree(report, only, now, width, wide);
    }
    let mut text = all(report);
    if report.outcome() == Outcome::Nothing && !wide {
        return text;
    }
    if report.trees.len() >= MANY && !wide {
        text.push('\n');
        let mut table = plain(width, &["CLUSTER", "OUTCOME", "RENEWED", "DIRECTORY"]);
        // What is as it should be is not listed among hundreds.
        for tree in report.trees.iter().filter(|tree| tree.outcome() != Outcome::Nothing) {
            let cluster = tree.cluster.clone().unwrap_or_default();
            let row = [cluster, tree.outcome().name().to_owned(), tree.made().to_string(), tree.directory.clone()];
            table.add_row(row.map(|cell| sanitised(&cell)));
        }
        text.push_str(&finish(&table));
        for failed in report.trees.iter().filter(|tree| tree.failure.is_some()) {
            text.push_str(&failure(failed));
        }
        return text;
    }
    for one in &report.trees {
        text.push('\n');
        text.push_str(&tree(report, one, now, width, wide));
    }
    text
}

fn all(report: &Renew) -> String {
    let count = |outcome| report.trees.iter().filter(|tree| tree.outcome() == outcome).count();
    let made: usize = report.trees.iter().map(Tree::made).sum();
    let verb = if report.dry_run { "would renew" } else { "renewed" };
    let mut text = format!("{verb} {made} certificates in {} trees", report.trees.len());
    for (outcome, words) in [
        (Outcome::Failed, "failed"),
        (Outcome::Left, "with something left"),
        (Outcome::Renewed, "renewed"),
        (Outcome::Nothing, "with nothing due"),
    ] {
        if count(outcome) > 0 {
            text.push_str(&format!("; {} {words}", count(outcome)));
        }
    }
    text.push('\n');
    text
}

fn tree(report: &Renew, tree: &Tree, now: OffsetDateTime, width: Width, wide: bool) -> String {
    if tree.failure.is_some() {
        return failure(tree);
    }
    let mut text = verdict(report, tree);
    let shown: Vec<&Entry> = tree.entries.iter().filter(|entry| wide || entry.action != Action::Keep).collect();
    if !shown.is_empty() {
        text.push('\n');
        text.push_str(&entries(&shown, report.dry_run, now, width, wide));
    }
    for list in &tree.lists {
        let verb = if report.dry_run { "would sign" } else { "signed" };
        let next = list.next_update.filter(|_| !report.dry_run).map(|at| format!(", next update {}", rfc3339(at)));
        text.push_str(&format!("\n{verb} {} anew{}\n", sanitised(&list.name), next.unwrap_or_default()));
    }
    if !tree.finished.is_empty() {
        let names = sanitised(&tree.finished.join(", "));
        text.push_str(&format!("\nAn earlier run renewed these and was interrupted before it could say so: {names}\n"));
    }
    text.push_str(&restart_lines(&tree.restart, "Before the new certificates are used:"));
    for hook in tree.hooks.iter().filter(|hook| !hook.succeeded) {
        let of = hook.component.as_ref().map(|component| format!(" of {component}")).unwrap_or_default();
        text.push_str(&format!("\nThe {} hook{of} failed: {}\n", hook.name, sanitised(&hook.ended)));
        text.extend(hook.output.lines().map(|line| format!("    {}\n", sanitised(line))));
    }
    text
}

fn verdict(report: &Renew, tree: &Tree) -> String {
    let made = tree.made();
    let total = tree.entries.len();
    let place = match &tree.cluster {
        Some(cluster) => format!("cluster {cluster}, in {}", tree.directory),
        None => tree.directory.clone(),
    };
    let left = tree.entries.iter().filter(|entry| entry.action == Action::Left).count();
    let mut text = match (made, report.dry_run, tree.rolled_back) {
        (0, _, _) => format!("nothing was renewed, {total} certificates were looked at: {place}"),
        (_, true, _) => format!("would renew {made} of {total} certificates (nothing was written): {place}"),
        (_, _, true) => format!("renewed {made} of {total} certificates and put the old ones back: {place}"),
        (..) => format!("renewed {made} of {total} certificates: {place}"),
    };
    if left > 0 {
        text.push_str(&format!("; {left} could not be"));
    }
    if let Some(generation) = tree.generation.as_ref().filter(|_| !tree.rolled_back) {
        text.push_str(&format!("\nthe old ones are kept: kpki restore {generation} --dir {}", tree.directory));
    }
    format!("{}\n", text.split('\n').map(sanitised).collect::<Vec<_>>().join("\n"))
}

fn failure(tree: &Tree) -> String {
    let Some(failure) = &tree.failure else { return String::new() };
    let mut text = format!("{}: {}\n", sanitised(&tree.directory), sanitised(&failure.what));
    text.extend(failure.why.iter().map(|why| format!("    {}\n", sanitised(why))));
    text.extend(failure.hints.iter().map(|hint| format!("    hint: {}\n", sanitised(hint))));
    text
}

fn entries(entries: &[&Entry], dry_run: bool, now: OffsetDateTime, width: Width, wide: bool) -> String {
    let sides = dry_run || wide;
    let width = width.filter(|_| !wide);
    let header: &[&str] = match sides {
        true => &["ENTRY", "ACTION", "SERIAL", "EXPIRES", "ALGORITHM", "NAMES", "WHY"],
        false => &["ENTRY", "ACTION", "EXPIRES", "WHY"],
    };
    let mut table = plain(width, header);
    for entry in entries {
        let id = entry.id();
        let why = entry.reasons.join("; ");
        let action = entry.action.name().to_owned();
        let row = match sides {
            true => vec![id, action, serial(entry), dates(entry), algorithm(entry), names(entry), why],
            false => vec![id, action, expires(entry, now), why],
        };
        table.add_row(row.iter().map(|cell| sanitised(cell)));
    }
    finish(&table)
}

fn expires(entry: &Entry, now: OffsetDateTime) -> String {
    let side = entry.new.as_ref().or(entry.old.as_ref());
    side.map(|side| format!("{} ({})", rfc3339(side.facts.not_after), distance(now, side.facts.not_after)))
        .unwrap_or_default()
}

/// `old -> new`, or the one that is there.
fn both(entry: &Entry, pick: impl Fn(&Side) -> String) -> String {
    match (entry.old.as_ref().map(&pick), entry.new.as_ref().map(&pick)) {
        (Some(old), Some(new)) if old == new => new,
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (old, new) => new.or(old).unwrap_or_default(),
    }
}

fn serial(entry: &Entry) -> String {
    both(entry, |side| side.facts.serial.clone().unwrap_or_else(|| "(new)".to_owned()))
}

fn dates(entry: &Entry) -> String {
    both(entry, |side| rfc3339(side.facts.not_after))
}

fn algorithm(entry: &Entry) -> String {
    let kinds = both(entry, |side| side.algorithm.clone());
    if entry.key_reused { format!("{kinds} (same key)") } else { kinds }
}

fn names(entry: &Entry) -> String {
    let added = entry.names_added.iter().map(|name| format!("+{name}"));
    let removed = entry.names_removed.iter().map(|name| format!("-{name}"));
    added.chain(removed).collect::<Vec<_>>().join(" ")
}

/// What people have to do, under a headline; nothing: nothing to do.
pub fn restart_lines(restart: &[Restart], headline: &str) -> String {
    let mut text = String::new();
    let wanted: Vec<_> = restart.iter().filter(|restart| restart.action != "none").collect();
    if wanted.is_empty() {
        return text;
    }
    text.push_str(&format!("\n{headline}\n"));
    for one in wanted {
        let node = one.node.as_ref().map(|node| format!("on {node}: ")).unwrap_or_default();
        let what = match one.component {
            "people" => format!("copy {} again", one.entries.join(", ")),
            component => format!("restart {component}"),
        };
        text.push_str(&format!("- {}{what}: {} ({})\n", sanitised(&node), one.why, sanitised(&one.entries.join(", "))));
        text.extend(one.command.iter().map(|command| format!("    {command}\n")));
    }
    text
}
