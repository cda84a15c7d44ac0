//! For people: a verdict, a line for each, and what was refused.

use std::io::{self, Write};

use super::document::{RequestEntry, RequestedFacts, Requests, Verb};
use crate::files::shell_path;
use crate::report::certificate::Facts;
use crate::report::form::{Report, Screen};
use crate::report::restart::restart_lines;
use crate::report::table::{counted, end, line, lines, table_without};

/// How many of many refused names are shown.
const FEW: usize = 10;

impl Report for Requests {
    fn text(&self, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
        line(out, verdict(self))?;
        if let Some(generation) = &self.generation {
            line(out, format_args!("undo it with: kpki restore {generation}{}", self.dir()))?;
        }
        if !self.entries.is_empty() {
            writeln!(out)?;
            entries(self, screen, out)?;
        }
        for entry in &self.entries {
            list(&format!("{}: requested and refused:", entry.id), &entry.refused, screen, out)?;
            list(&format!("{}: added without being requested:", entry.id), &entry.added, screen, out)?;
        }
        if self.verb == Verb::Csr && self.count("request") + self.count("keep") > 0 {
            let from = self.out.as_ref().map(|out| format!(" --requests {}", shell_path(out))).unwrap_or_default();
            let import = self.tree.as_ref().map(|tree| tree.command("import", &["CERT..."], &[])).unwrap_or_default();
            lines(out, "", [format!("Have the authority's owner sign the .csr files; then: {import}{from}")])?;
        }
        lines(out, "left: ", &self.left)?;
        restart_lines(&self.restart, "Before the new certificates are used", out)
    }
}

impl Requests {
    /// The tree as a flag.
    fn dir(&self) -> String {
        self.tree.as_ref().map(|tree| format!(" --dir {}", shell_path(&tree.dir))).unwrap_or_default()
    }
}

fn verdict(report: &Requests) -> String {
    let would = |done: &str, todo: &str| if report.dry_run { format!("would {todo}") } else { done.to_owned() };
    let kept = report.count("keep");
    let mut text = match report.verb {
        Verb::Csr => {
            let there = match kept {
                0 => String::new(),
                1 => ", 1 exists already".to_owned(),
                several => format!(", {several} exist already"),
            };
            format!("{} {}{there}", would("wrote", "write"), counted(report.count("request"), "request"))
        }
        Verb::Sign => format!("{} {}", would("signed", "sign"), counted(report.count("sign"), "certificate")),
        Verb::Import => {
            let are = if kept == 1 { "is" } else { "are" };
            let there = format!("{} {are} in place already", counted(kept, "certificate"));
            let put = |put| format!("{} {} in place", would("put", "put"), counted(put, "certificate"));
            let waits = report.count("wait");
            let beside = format!(
                "{} {} for the switch",
                counted(waits, "certificate"),
                if waits == 1 { "waits" } else { "wait" }
            );
            match (report.count("import"), kept) {
                (0, 0) if waits > 0 => beside,
                (0, _) if waits > 0 => format!("{beside}; {there}"),
                (count, _) if waits > 0 => format!("{}; {beside}", put(count)),
                (0, _) => format!("nothing to do, {there}"),
                (count, 0) => put(count),
                (count, _) => format!("{}; {there}", put(count)),
            }
        }
    };
    let left = report.count("left");
    if left > 0 {
        text.push_str(&format!("; no request could be made for {left}"));
    }
    text + &report.directory.as_ref().map(|dir| format!(": {dir}")).unwrap_or_default()
}

fn entries(report: &Requests, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let issued = report.verb != Verb::Csr;
    let mut header = vec!["ENTRY", "ACTION", "SUBJECT"];
    header.extend(issued.then_some("EXPIRES"));
    header.extend(if screen.wide { &["ALGORITHM", "NAMES", "USAGES", "PATH"][..] } else { &["PATH"] });
    header.push("WHY");
    let rows = report.entries.iter().map(|entry| {
        let mut row = vec![
            entry.id.to_string(),
            entry.action.to_owned(),
            fact(entry, |facts| facts.subject.clone(), |asked| asked.subject.clone()),
        ];
        if issued {
            row.push(entry.facts.as_ref().map(|facts| end(facts.not_after, screen.now)).unwrap_or_default());
        }
        if screen.wide {
            row.extend([
                entry.algorithm.clone().unwrap_or_default(),
                fact(entry, |facts| facts.sans.join(", "), |asked| asked.sans.join(", ")),
                fact(entry, |facts| facts.usages.join(", "), |asked| asked.usages.join(", ")),
            ]);
        }
        row.extend([entry.paths.first().cloned().unwrap_or_default(), entry.reasons.join("; ")]);
        row
    });
    table_without(out, screen.width, &header, &["PATH", "SUBJECT"], rows)
}

/// Of the certificate, or where there is none yet, of the request.
fn fact(entry: &RequestEntry, of_facts: fn(&Facts) -> String, of_request: fn(&RequestedFacts) -> String) -> String {
    entry.facts.as_ref().map(of_facts).or_else(|| entry.asked.as_ref().map(of_request)).unwrap_or_default()
}

fn list(headline: &str, values: &[String], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let shown = if screen.wide { values.len() } else { FEW.min(values.len()) };
    lines(out, "", [headline])?;
    values.iter().take(shown).try_for_each(|value| line(out, format_args!("- {value}")))?;
    match values.len() - shown {
        0 => Ok(()),
        more => writeln!(out, "- and {more} more"),
    }
}
