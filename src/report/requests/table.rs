//! For people: a verdict, a line for each, and what was refused.

use time::OffsetDateTime;

use super::{Entry, Requests, Verb};
use crate::clock::{distance, rfc3339};
use crate::report::Width;
use crate::report::renew::restart_lines;
use crate::report::table::{finish, plain, sanitised};

/// How many of many refused names are said.
const FEW: usize = 10;

pub fn render(report: &Requests, now: OffsetDateTime, width: Width, wide: bool) -> String {
    let mut text = format!("{}\n", sanitised(&verdict(report)));
    if let Some(generation) = &report.generation {
        let dir = report.directory.as_deref().unwrap_or_default();
        text.push_str(&sanitised(&format!("the old ones are kept: kpki restore {generation} --dir {dir}")));
        text.push('\n');
    }
    if !report.entries.is_empty() {
        text.push('\n');
        text.push_str(&entries(report, now, width, wide));
    }
    for entry in &report.entries {
        text.push_str(&list(&format!("{}: asked for and refused:", entry.id()), &entry.refused, wide));
        text.push_str(&list(&format!("{}: there without being asked for:", entry.id()), &entry.added, wide));
    }
    if report.verb == Verb::Csr && report.count("request") + report.count("keep") > 0 {
        text.push_str("\nHave the authority's owner sign the .csr files; then: kpki import CERT...\n");
    }
    text.push_str(&restart_lines(&report.restart, "Before the new certificates are used:"));
    text
}

fn verdict(report: &Requests) -> String {
    let of = report.directory.as_ref().map(|dir| format!(": {dir}")).unwrap_or_default();
    let (made, kept, left) = (report.count("request"), report.count("keep"), report.count("left"));
    let would = |done: &str, todo: &str| if report.dry_run { format!("would {todo}") } else { done.to_owned() };
    let mut text = match report.verb {
        Verb::Csr => format!("{} {made} requests, {kept} were there already", would("wrote", "write")),
        Verb::Sign => format!("{} {} certificates", would("signed", "sign"), report.count("sign")),
        Verb::Import => {
            let there = if kept > 0 { format!(", {kept} were in place already") } else { String::new() };
            format!("{} {} certificates in place{there}", would("put", "put"), report.count("import"))
        }
    };
    if left > 0 {
        text.push_str(&format!("; {left} could not be"));
    }
    text + &of
}

fn entries(report: &Requests, now: OffsetDateTime, width: Width, wide: bool) -> String {
    let width = width.filter(|_| !wide);
    let issued = report.verb != Verb::Csr;
    let mut header = vec!["ENTRY", "ACTION", "SUBJECT"];
    header.extend(issued.then_some("EXPIRES"));
    header.extend(if wide { &["ALGORITHM", "NAMES", "USAGES", "PATH"][..] } else { &["PATH"] });
    header.push("WHY");
    let mut table = plain(width, &header);
    for entry in &report.entries {
        let mut row = vec![entry.id(), entry.action.to_owned(), subject(entry)];
        if issued {
            let expires = |at| format!("{} ({})", rfc3339(at), distance(now, at));
            row.push(entry.facts.as_ref().map(|facts| expires(facts.not_after)).unwrap_or_default());
        }
        if wide {
            row.extend([entry.algorithm.clone().unwrap_or_default(), names(entry), usages(entry)]);
        }
        row.extend([entry.paths.first().cloned().unwrap_or_default(), entry.reasons.join("; ")]);
        table.add_row(row.iter().map(|cell| sanitised(cell)));
    }
    finish(&table)
}

fn subject(entry: &Entry) -> String {
    let asked = || entry.asked.as_ref().map(|asked| asked.subject.clone());
    entry.facts.as_ref().map(|facts| facts.subject.clone()).or_else(asked).unwrap_or_default()
}

fn names(entry: &Entry) -> String {
    let asked = || entry.asked.as_ref().map(|asked| asked.sans.join(", "));
    entry.facts.as_ref().map(|facts| facts.sans.join(", ")).or_else(asked).unwrap_or_default()
}

fn usages(entry: &Entry) -> String {
    let asked = || entry.asked.as_ref().map(|asked| asked.usages.join(", "));
    entry.facts.as_ref().map(|facts| facts.usages.join(", ")).or_else(asked).unwrap_or_default()
}

fn list(headline: &str, values: &[String], wide: bool) -> String {
    if values.is_empty() {
        return String::new();
    }
    let shown = if wide { values.len() } else { FEW };
    let mut text = format!("\n{}\n", sanitised(headline));
    text.extend(values.iter().take(shown).map(|value| format!("- {}\n", sanitised(value))));
    if values.len() > shown {
        text.push_str(&format!("- and {} more\n", values.len() - shown));
    }
    text
}
