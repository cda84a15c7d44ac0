//! JUnit's XML, as Jenkins and GitLab read it: a suite for each cluster, a case for each rule and file with findings, and one for
//! each rule without. Errors and warnings fail, as the exit status says; what does not count or was not looked at is skipped, with
//! its reason.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::location::part_of;
use super::result::Verify;
use crate::clock::rfc3339;
use crate::report::counted;
use crate::report::xml::Xml;
use crate::verify::{Finding, Rule, Severity, Verification};

pub fn write(verify: &Verify, out: &mut dyn Write) -> io::Result<()> {
    let suites: Vec<Vec<Case>> = verify.clusters.iter().map(|cluster| cases(cluster, &verify.rules)).collect();
    let count =
        |wanted: fn(&Verdict) -> bool| suites.iter().map(|cases| number(cases, wanted)).fold(0, usize::saturating_add);
    let (tests, failures) = (count(|_| true), count(Verdict::is_failure));
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"kpki verify\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">")?;
    // Without a zone, as JUnit has it: it is UTC.
    let at = rfc3339(verify.at);
    let at = at.trim_end_matches('Z');
    verify.clusters.iter().zip(&suites).try_for_each(|(cluster, cases)| suite(cluster, cases, at, out))?;
    writeln!(out, "</testsuites>")
}

struct Case {
    /// With the name it has to be one of a kind among all suites: Jenkins and GitLab keep a test's history by the two.
    class: String,
    name: String,
    verdict: Verdict,
}

enum Verdict {
    Passed,
    /// Something to know that fails nothing.
    Noted(String),
    Failed {
        severity: Severity,
        summary: String,
        details: String,
    },
    Skipped(String),
}

impl Verdict {
    const fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }

    const fn is_skipped(&self) -> bool {
        matches!(self, Self::Skipped(_))
    }
}

fn number(cases: &[Case], wanted: fn(&Verdict) -> bool) -> usize {
    cases.iter().filter(|case| wanted(&case.verdict)).count()
}

/// A finding, and what it follows from.
type Cause<'a> = (&'a Finding, Option<&'static Rule>);

fn cases(cluster: &Verification, rules: &[&'static Rule]) -> Vec<Case> {
    let mut groups: BTreeMap<(&str, &str), Vec<Cause<'_>>> = BTreeMap::new();
    let mut all = Vec::new();
    collect(&cluster.findings, None, &mut all);
    for (finding, cause) in all {
        groups.entry((finding.rule.id, &finding.place.path)).or_default().push((finding, cause));
    }
    // Of one path one case, whatever there is to say.
    let mut not_looked_at: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for not in &cluster.not_looked_at {
        not_looked_at.entry(&not.path).or_default().push(&not.why);
    }
    let case = |area: &str, name: String, verdict: Verdict| Case {
        class: format!("kpki.{}.{area}", name_of(cluster)),
        name,
        verdict,
    };
    let mut cases = Vec::new();
    for ((id, path), findings) in &groups {
        let area = findings.first().map_or("", |(finding, _)| finding.rule.area());
        cases.push(case(area, format!("{id}: {path}"), verdict(findings)));
    }
    for (path, why) in not_looked_at {
        cases.push(case("not-looked-at", path.to_owned(), Verdict::Skipped(why.join("; "))));
    }
    let has_found = |rule: &Rule| groups.keys().any(|(id, _)| *id == rule.id);
    for rule in rules.iter().filter(|rule| !has_found(rule)) {
        cases.push(case(rule.area(), rule.id.to_owned(), Verdict::Passed));
    }
    cases
}

fn name_of(cluster: &Verification) -> &str {
    cluster.cluster.as_deref().unwrap_or(&cluster.root)
}

fn collect<'a>(findings: &'a [Finding], cause: Option<&'static Rule>, to: &mut Vec<Cause<'a>>) {
    for finding in findings {
        to.push((finding, cause));
        collect(&finding.follows, Some(finding.rule), to);
    }
}

/// Of all findings of one rule in one file.
fn verdict(findings: &[Cause<'_>]) -> Verdict {
    let counting: Vec<&Finding> = findings.iter().filter_map(|cause| counts(cause)).collect();
    let details = || counting.iter().map(|finding| details(finding)).collect::<Vec<_>>().join("\n");
    let Some(first) = counting.first() else {
        return Verdict::Skipped(findings.iter().map(why_not).collect::<Vec<_>>().join("; "));
    };
    match first.rule.severity {
        Severity::Notice => Verdict::Noted(details()),
        severity => {
            let more = counting.len().saturating_sub(1);
            let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
            Verdict::Failed { severity, summary: format!("{}{more}", first.found), details: details() }
        }
    }
}

fn counts<'a>((finding, cause): &Cause<'a>) -> Option<&'a Finding> {
    (cause.is_none() && finding.ignored.is_none()).then_some(*finding)
}

fn why_not((finding, cause): &Cause<'_>) -> String {
    let why = match (&finding.ignored, cause) {
        (Some(ignored), _) => {
            format!("ignored: {}", ignored.reason.as_deref().unwrap_or("on the command line, without a reason"))
        }
        (None, Some(cause)) => format!("follows from {}", cause.id),
        (None, None) => String::new(),
    };
    format!("{} ({why})", finding.found)
}

fn details(finding: &Finding) -> String {
    let mut lines = vec![format!("{}: {}", finding.rule.severity, finding.found)];
    lines.extend(part_of(&finding.place).map(|part| format!("in: {part}")));
    lines.push(format!("why: {}", finding.rule.why));
    lines.push(format!("to repair: {}", finding.rule.repair));
    lines.extend(finding.repair.iter().map(|command| format!("    {command}")));
    let mut follows = Vec::new();
    collect(&finding.follows, None, &mut follows);
    let below = follows
        .iter()
        .map(|(below, _)| format!("it follows: {}: {} ({})", below.place.path, below.found, below.rule.id));
    lines.extend(below);
    lines.join("\n") + "\n"
}

fn suite(cluster: &Verification, cases: &[Case], at: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = name_of(cluster);
    let (failures, skipped) = (number(cases, Verdict::is_failure), number(cases, Verdict::is_skipped));
    writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\" timestamp=\"{at}\">",
        Xml::attribute(name),
        cases.len()
    )?;
    writeln!(
        out,
        "    <properties>\n      <property name=\"directory\" value=\"{}\"/>\n    </properties>",
        Xml::attribute(&cluster.root)
    )?;
    for Case { class, name, verdict } in cases {
        write!(out, "    <testcase classname=\"{}\" name=\"{}\"", Xml::attribute(class), Xml::attribute(name))?;
        match verdict {
            Verdict::Passed => writeln!(out, "/>")?,
            Verdict::Noted(text) => {
                writeln!(out, ">\n      <system-out>{}</system-out>\n    </testcase>", Xml::content(text))?;
            }
            Verdict::Skipped(why) => {
                writeln!(out, ">\n      <skipped message=\"{}\"/>\n    </testcase>", Xml::attribute(why))?;
            }
            Verdict::Failed { severity, summary, details } => writeln!(
                out,
                ">\n      <failure type=\"{severity}\" message=\"{}\">{}</failure>\n    </testcase>",
                Xml::attribute(summary),
                Xml::content(details)
            )?,
        }
    }
    let seen = [
        counted(cluster.files, "file"),
        counted(cluster.certificates, "certificate"),
        counted(cluster.keys, "key"),
        counted(cluster.crls, "CRL"),
    ];
    writeln!(out, "    <system-out>looked at {}</system-out>\n  </testsuite>", seen.join(", "))
}
