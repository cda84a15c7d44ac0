//! For people: one line for each finding, grouped by file, and how to repair it.

use std::io::{self, Write};

use super::matrix;
use super::result::Verify;
use super::served;
use crate::report::form::Screen;
use crate::report::table::{counted, line, place};
use crate::verify::{Finding, Severity, Verification};

pub fn write(verify: &Verify, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let total = |of: fn(&Verification) -> usize| verify.clusters.iter().map(of).sum::<usize>();
    let looked = format!(
        "{} ({}, {}, {})",
        counted(total(|one| one.files), "file"),
        counted(total(|one| one.certificates), "certificate"),
        counted(total(|one| one.keys), "key"),
        counted(total(|one| one.crls), "CRL")
    );
    let mut parts: Vec<String> = Severity::ALL.into_iter().rev().filter_map(|of| count(verify, of)).collect();
    let ignored = verify.clusters.iter().flat_map(|one| &one.findings).filter(|one| one.ignored.is_some()).count();
    if ignored > 0 {
        parts.push(format!("{ignored} ignored"));
    }
    let skipped = total(|one| one.not_looked_at.len());
    if skipped > 0 {
        parts.push(format!("{skipped} not looked at"));
    }
    let parts = if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") };
    line(out, format_args!("{}: {parts} in {looked}", verify.state()))?;
    for one in &verify.clusters {
        cluster(one, verify.clusters.len() > 1, screen, out)?;
    }
    Ok(())
}

fn count(verify: &Verify, severity: Severity) -> Option<String> {
    let is_it = |one: &&Finding| one.rule.severity == severity && one.ignored.is_none();
    let count = verify.clusters.iter().flat_map(|one| &one.findings).filter(is_it).count();
    (count > 0).then(|| counted(count, severity.name()))
}

fn cluster(of: &Verification, is_one_of_many: bool, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    if is_one_of_many
        && of.findings.is_empty()
        && of.not_looked_at.is_empty()
        && of.served.is_none()
        && of.layout.is_none()
    {
        return Ok(());
    }
    if is_one_of_many {
        writeln!(out)?;
        line(out, place(of.cluster.as_deref(), &of.root))?;
    }
    if let Some(tool) = of.layout {
        line(
            out,
            format_args!(
                "layout of {tool}: judged by the rules that hold for every tool; what has to be renewed is for its own"
            ),
        )?;
    }
    let mut last: Option<&str> = None;
    for finding in &of.findings {
        if last != Some(finding.place.path.as_str()) {
            writeln!(out)?;
            line(out, &finding.place.path)?;
            last = Some(&finding.place.path);
        }
        one(finding, 1, screen, out)?;
    }
    matrix::write(&of.edges, screen, out)?;
    for (i, skipped) in of.not_looked_at.iter().enumerate() {
        if i == 0 {
            writeln!(out, "\nNot looked at:")?;
        }
        line(out, format_args!("  {}: {}", skipped.path, skipped.why))?;
    }
    of.served.iter().try_for_each(|live| served::text(live, screen, is_one_of_many, out))
}

fn one(finding: &Finding, depth: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let indent = "  ".repeat(depth);
    let position = finding.place.position.filter(|position| *position > 0);
    let position = position.map(|position| format!("certificate {}: ", position + 1)).unwrap_or_default();
    let ignored = match &finding.ignored {
        None => String::new(),
        Some(ignored) => ignored.reason.as_ref().map_or(" (ignored)".to_owned(), |why| format!(" (ignored: {why})")),
    };
    let (severity, rule) = (finding.rule.severity.name(), finding.rule.id);
    line(out, format_args!("{indent}{severity:7}  {rule}: {position}{}{ignored}", finding.found))?;
    if screen.wide {
        line(out, format_args!("{indent}         {} ({})", finding.rule.what, finding.rule.why))?;
    }
    if finding.ignored.is_none() {
        // Who repairs the cause repairs what follows.
        if finding.repair.is_empty() && depth == 1 {
            line(out, format_args!("{indent}         {}", finding.rule.repair))?;
        }
        for command in &finding.repair {
            line(out, format_args!("{indent}         {command}"))?;
        }
    }
    finding.follows.iter().try_for_each(|below| one(below, depth + 1, screen, out))
}
