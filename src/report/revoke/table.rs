//! For people: a verdict, the certificates, the CRLs, who reads them.

use std::io::{self, Write};

use super::document::{Action, CrlRow, Revocation, RevocationEntry, Signing};
use crate::report::form::{Report, Screen};
use crate::report::json::Name;
use crate::report::ship::ship_lines;
use crate::report::table::{end, first_of, line, lines, place, revoked, table};
use crate::tree::{Origin, ProfileAt};

impl Report for Revocation {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, verdict(self))?;
        if !self.entries.is_empty() {
            writeln!(out)?;
            let header = ["CERTIFICATE", "ACTION", "CA", "SERIAL", "SINCE", "REASON"];
            table(out, screen.width, &header, self.entries.iter().map(entry))?;
        }
        if !self.lists.is_empty() {
            writeln!(out)?;
            let header = ["REVOCATION LIST", "ACTION", "NUMBER", "ENTRIES", "NEXT UPDATE", "FILES"];
            table(out, screen.width, &header, self.lists.iter().map(|list| crl(list, screen)))?;
        }
        if !self.in_use.is_empty() {
            let (next, verb) = match self.verb {
                "hold" => ("readers of the CRL refuse it until it is released", "release"),
                _ => ("replace, with a new key", "renew"),
            };
            let command =
                Origin::new(&*self.directory, ProfileAt::Recorded).command(verb, &self.in_use_as_named(), &[]);
            lines(out, "Still in use: ", [format!("{}; {next}: {command}", self.in_use.join(", "))])?;
        }
        lines(out, "- ", &self.left)?;
        lines(out, "- ", &self.notes)?;
        ship_lines(&self.directory, self.ship.iter().map(String::as_str), self.dry_run, out)
    }
}

fn verdict(report: &Revocation) -> String {
    let place = place(report.cluster.as_deref(), &report.directory);
    let changed = report.entries.iter().filter(|entry| entry.action != Action::Unchanged).count();
    let (done, todo, already) = match report.verb {
        "hold" => ("held", "hold", "it is held already"),
        "release" => ("released", "release", "no CRL has it"),
        "revoke" => ("revoked", "revoke", "it is revoked already"),
        _ => ("signed", "sign", "no CRL is due"),
    };
    let (count, noun) = match report.entries.is_empty() {
        true => (report.signed(), "CRL"),
        false => (changed, "certificate"),
    };
    let plural = if count == 1 { "" } else { "s" };
    match (count, report.dry_run) {
        (0, _) if report.has_gap() => format!("nothing was done: {place}"),
        (0, _) => format!("nothing to do, {already}: {place}"),
        (_, true) => format!("would {todo} {count} {noun}{plural} (nothing was written): {place}"),
        (_, false) => format!("{done} {count} {noun}{plural}: {place}"),
    }
}

fn entry(entry: &RevocationEntry) -> [String; 6] {
    [
        entry.name.clone().unwrap_or_else(|| "-".to_owned()),
        Name(entry.action).to_string(),
        entry.authority.to_owned(),
        entry.serial.clone(),
        revoked(entry.since, entry.invalid_since),
        entry.reason.clone().unwrap_or_default(),
    ]
}

/// How many files are named.
const FEW: usize = 2;

fn crl(list: &CrlRow, screen: Screen) -> [String; 6] {
    let action = match (&list.why, list.action) {
        (Some(why), Signing::Keep | Signing::Skipped) => format!("{}: {why}", Name(list.action)),
        _ => Name(list.action).to_string(),
    };
    [
        list.issuer.as_ref().map_or_else(|| list.name.clone(), |issuer| format!("{} of {issuer}", list.name)),
        action,
        list.number.clone().unwrap_or_default(),
        list.entries.to_string(),
        list.next_update.map(|at| end(at, screen.now)).unwrap_or_default(),
        first_of(&list.paths, if screen.wide { usize::MAX } else { FEW }),
    ]
}
