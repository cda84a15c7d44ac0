//! For people: a verdict, what became of each certificate, and what to restart.

use std::io::{self, Write};

use super::document::{Action, Outcome, Renew, RenewalEntry, Tree};
use crate::clock::rfc3339;
use crate::report::certificate::Side;
use crate::report::form::{Report, Screen};
use crate::report::hook::hook_lines;
use crate::report::json::Name;
use crate::report::restart::restart_lines;
use crate::report::revoke::Signing;
use crate::report::ship::ship_lines;
use crate::report::table::{counted, end, line, lines, place, table, table_without};
use crate::tree::{Origin, ProfileAt};

/// From this many trees on, each is a line.
const MANY: usize = 5;

impl Report for Renew {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        if let [only] = self.trees.as_slice() {
            return tree(self, only, screen, out);
        }
        line(out, all(self))?;
        if self.outcome == Outcome::Nothing && !screen.wide {
            return Ok(());
        }
        if self.trees.len() < MANY || screen.wide {
            return self.trees.iter().try_for_each(|one| {
                writeln!(out)?;
                tree(self, one, screen, out)
            });
        }
        writeln!(out)?;
        // What is as it should be is not listed among hundreds.
        let rows = self.trees.iter().filter(|tree| tree.outcome != Outcome::Nothing).map(|tree| {
            let cluster = tree.cluster.clone().unwrap_or_default();
            [cluster, Name(tree.outcome).to_string(), tree.made().to_string(), tree.directory.clone()]
        });
        table(out, screen.width, &["CLUSTER", "OUTCOME", "RENEWED", "DIRECTORY"], rows)?;
        self.trees.iter().try_for_each(|tree| failure(tree, out))
    }
}

fn all(report: &Renew) -> String {
    let count = |outcome| report.trees.iter().filter(|tree| tree.outcome == outcome).count();
    let made: usize = report.trees.iter().map(Tree::made).sum();
    let verb = if report.dry_run { "would renew" } else { "renewed" };
    let parts = [
        (Outcome::Failed, "failed"),
        (Outcome::Partial, "with some not renewed"),
        (Outcome::Renewed, if report.dry_run { "would be renewed" } else { "renewed" }),
        (Outcome::Nothing, "with nothing due"),
    ];
    let parts = parts.into_iter().map(|(outcome, words)| (count(outcome), words)).filter(|(count, _)| *count > 0);
    let parts: String = parts.map(|(count, words)| format!("; {count} {words}")).collect();
    format!("{verb} {} in {} trees{parts}", counted(made, "certificate"), report.trees.len())
}

fn tree(report: &Renew, tree: &Tree, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if tree.failure.is_some() {
        return failure(tree, out);
    }
    verdict(report, tree, out)?;
    let shown = |entry: &&RenewalEntry| screen.wide || entry.action != Action::Keep;
    let shown: Vec<&RenewalEntry> = tree.entries.iter().filter(shown).collect();
    if !shown.is_empty() {
        writeln!(out)?;
        entries(&shown, report.dry_run, screen, out)?;
    }
    for crl in tree.left_lists() {
        let why = crl.why.as_deref().unwrap_or_default();
        lines(out, "", [format!("{} is due and was not signed: {why}", crl.name)])?;
    }
    for crl in tree.lists.iter().filter(|crl| crl.action == Signing::Sign) {
        let verb = if report.dry_run { "would sign" } else { "signed" };
        let next = crl.next_update.filter(|_| !report.dry_run).map(|at| format!(", next update {}", rfc3339(at)));
        lines(out, "", [format!("{verb} the next {}{}", crl.name, next.unwrap_or_default())])?;
    }
    if let Some(profile) = &tree.recorded {
        let verb = if report.dry_run { "would record" } else { "recorded" };
        lines(
            out,
            "",
            [format!(
                "{verb} {profile} as this tree's profile: a run without --profile follows it, also after a restore"
            )],
        )?;
    }
    if !tree.finished.is_empty() {
        let names = tree.finished.join(", ");
        lines(out, "An earlier run renewed these, and its hooks were not all run: ", [names])?;
    }
    if !tree.rolled_back {
        ship_lines(&tree.directory, tree.ship.iter().map(String::as_str), report.dry_run, out)?;
    }
    restart_lines(&tree.restart, "Before the new certificates are used", out)?;
    left(tree, out)?;
    hook_lines(&tree.hooks, out)
}

/// What is left to do in the cluster, and by when.
fn left(tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    for one in &tree.afterwards {
        writeln!(out)?;
        let (until, name) = (rfc3339(one.until), one.authority);
        match one.ended {
            true => line(out, format_args!("The old certificate of {name} has ended at {until}; still to do:"))?,
            false => line(out, format_args!("Until {until}, when the old certificate of {name} ends:"))?,
        }
        one.steps.iter().try_for_each(|step| line(out, format_args!("- {step}")))?;
    }
    Ok(())
}

fn were(total: usize) -> String {
    format!("{} {}", counted(total, "certificate"), if total == 1 { "was" } else { "were" })
}

fn verdict(report: &Renew, tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    let (made, total) = (tree.made(), tree.entries.len());
    let place = place(tree.cluster.as_deref(), &tree.directory);
    let verdict = match (made, report.dry_run, tree.rolled_back) {
        (0, _, true) => format!("the old certificates of an interrupted renewal are restored: {place}"),
        (0, ..) => format!("nothing was renewed, {} checked: {place}", were(total)),
        (_, _, false) if !tree.authorities.is_empty() => {
            let verb = if report.dry_run { "would renew" } else { "renewed" };
            let written = if report.dry_run { " (nothing was written)" } else { "" };
            format!("{verb} {} with the same key{written}: {place}", tree.authorities.join(", "))
        }
        (_, true, _) => {
            format!("would renew {made} of {} (nothing was written): {place}", counted(total, "certificate"))
        }
        (_, _, true) => {
            format!("renewed {made} of {} and restored the old ones: {place}", counted(total, "certificate"))
        }
        (..) => format!("renewed {made} of {}: {place}", counted(total, "certificate")),
    };
    match tree.skipped().count() {
        0 => line(out, verdict)?,
        left => line(out, format_args!("{verdict}; {left} could not be renewed"))?,
    }
    match &tree.generation {
        // What is revoked is not put back by a command that is printed here.
        Some(generation) if tree.entries.iter().any(RenewalEntry::was_revoked) => {
            line(out, format_args!("the old ones are kept as {generation}; some of them are revoked"))
        }
        Some(generation) if !tree.rolled_back => {
            let kubelet_dir = tree.kubelet_dir.clone();
            let origin = Origin { kubelet_dir, ..Origin::new(&*tree.directory, ProfileAt::Recorded) };
            line(out, format_args!("undo it with: {}", origin.command("restore", &[generation], &[])))
        }
        _ => Ok(()),
    }
}

fn failure(tree: &Tree, out: &mut dyn Write) -> io::Result<()> {
    let Some(failure) = &tree.failure else { return Ok(()) };
    line(out, format_args!("{}: {}", tree.directory, failure.what))?;
    failure.why.iter().try_for_each(|why| line(out, format_args!("    {why}")))?;
    failure.hints.iter().try_for_each(|hint| line(out, format_args!("    hint: {hint}")))
}

fn entries(entries: &[&RenewalEntry], dry_run: bool, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let sides = dry_run || screen.wide;
    let header: &[&str] = match sides {
        true => &["ENTRY", "ACTION", "SERIAL", "EXPIRES", "ALGORITHM", "NAMES", "WHY"],
        false => &["ENTRY", "ACTION", "EXPIRES", "WHY"],
    };
    let rows = entries.iter().map(|entry| {
        let (id, action, why) = (entry.id.to_string(), Name(entry.action).to_string(), entry.said());
        if !sides {
            let side = entry.new.as_ref().or(entry.old.as_ref());
            let expires = side.map(|side| end(side.facts.not_after, screen.now)).unwrap_or_default();
            return vec![id, action, expires, why];
        }
        let serial = both(entry, |side| side.facts.serial.clone().unwrap_or_else(|| "(new)".to_owned()));
        let dates = both(entry, |side| rfc3339(side.facts.not_after));
        let same_key = if entry.key_reused { " (same key)" } else { "" };
        let algorithm = (both(entry, |side| side.algorithm.clone()) + same_key).trim_start().to_owned();
        vec![id, action, serial, dates, algorithm, names(entry), why]
    });
    table_without(out, screen.width, header, &["SERIAL", "ALGORITHM"], rows)
}

/// `old -> new`, or the one that is there.
fn both(entry: &RenewalEntry, pick: impl Fn(&Side) -> String) -> String {
    match (entry.old.as_ref().map(&pick), entry.new.as_ref().map(&pick)) {
        (Some(old), Some(new)) if old == new => new,
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (old, new) => new.or(old).unwrap_or_default(),
    }
}

fn names(entry: &RenewalEntry) -> String {
    let added = entry.names_added.iter().map(|name| format!("+{name}"));
    let removed = entry.names_removed.iter().map(|name| format!("-{name}"));
    added.chain(removed).collect::<Vec<_>>().join(" ")
}
