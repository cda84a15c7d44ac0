//! SARIF 2.1.0 (OASIS), as code scanning takes it: one run for everything, because an upload replaces what was uploaded before.

mod document;

use std::collections::BTreeMap;
use std::io::{self, Write};

use document::{
    ArtifactLocation, Base, Configuration, Descriptor, Driver, Fingerprints, Invocation, Location, Log,
    LogicalLocation, Notification, Outcome, PhysicalLocation, Region, Repair, Run, RunProperties, Suppression, Tags,
    Text, Tool, text,
};

use super::location::{fingerprint, is_file, part_of, uri};
use super::result::Verify;
use crate::report::json;
use crate::report::table::sanitised;
use crate::verify::{Finding, NotLookedAt, Place, Rule, Severity, Verification};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What relative paths begin at.
const BASE: &str = "SRCROOT";

pub fn write(verify: &Verify, out: &mut dyn Write) -> io::Result<()> {
    let rules = &verify.rules;
    let results = verify.clusters.iter().flat_map(|cluster| results(cluster, rules)).collect();
    let notifications =
        |cluster: &Verification| cluster.not_looked_at.iter().map(|not| notification(cluster, not)).collect::<Vec<_>>();
    let driver = Driver {
        name: "kpki",
        semantic_version: env!("CARGO_PKG_VERSION"),
        rules: rules.iter().map(|rule| descriptor(rule)).collect(),
    };
    let run = Run {
        tool: Tool { driver },
        invocations: [Invocation {
            execution_successful: !verify.is_incomplete(),
            tool_execution_notifications: verify.clusters.iter().flat_map(notifications).collect(),
        }],
        original_uri_base_ids: BTreeMap::from([(BASE, Base { description: text("the directory kpki was run in") })]),
        results,
        column_kind: "unicodeCodePoints",
        properties: RunProperties { at: verify.at },
    };
    json::write(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] }, "  ", out)
}

fn descriptor(rule: &'static Rule) -> Descriptor {
    Descriptor {
        id: rule.id,
        short_description: text(rule.what),
        full_description: text(format!("{} ({})", rule.what, rule.why)),
        help: text(format!("Why: {}\n\nTo repair: {}", rule.why, rule.repair)),
        default_configuration: Configuration { level: level(rule.severity) },
        properties: Tags { tags: [rule.area()] },
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Notice => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn results<'a>(cluster: &'a Verification, rules: &[&'static Rule]) -> Vec<Outcome<'a>> {
    let mut seen: BTreeMap<(&str, &Place), usize> = BTreeMap::new();
    let of = |finding: &'a Finding| {
        let number = seen.entry((finding.rule.id, &finding.place)).or_default();
        *number += 1;
        let own = fingerprint(cluster, finding, *number);
        let mut related_locations = Vec::new();
        related(cluster, &finding.follows, &mut related_locations);
        Outcome {
            rule_id: finding.rule.id,
            rule_index: rules.iter().position(|rule| rule.id == finding.rule.id),
            level: level(finding.rule.severity),
            message: message(&words(finding)),
            locations: [location(cluster, &finding.place)],
            related_locations,
            // A line follows, as in those that code scanning makes.
            partial_fingerprints: Fingerprints { primary_location_line_hash: format!("{own}:1"), own },
            suppressions: finding.ignored.iter().map(|ignored| suppression(ignored.reason.as_deref())).collect(),
            properties: Repair { repair: &finding.repair },
        }
    };
    cluster.findings.iter().map(of).collect()
}

/// What follows, and what follows from that, in one list.
fn related(cluster: &Verification, findings: &[Finding], to: &mut Vec<Location>) {
    for finding in findings {
        let words = message(&format!("{}: {}", finding.rule.id, finding.found));
        to.push(Location {
            id: Some(to.len().saturating_add(1)),
            message: Some(words),
            ..location(cluster, &finding.place)
        });
        related(cluster, &finding.follows, to);
    }
}

/// The first sentence is what a list shows.
fn words(finding: &Finding) -> String {
    match finding.repair.as_slice() {
        [] => format!("{}.", finding.found),
        commands => format!("{}. To repair: {}", finding.found, commands.join("; ")),
    }
}

/// Braces stand for arguments in SARIF's messages, and are doubled where they are meant (section 3.11.5).
fn message(words: &str) -> Text {
    text(sanitised(words).replace('{', "{{").replace('}', "}}"))
}

fn suppression(reason: Option<&str>) -> Suppression {
    let justification = reason.map_or_else(|| "ignored on the command line, without a reason".to_owned(), sanitised);
    Suppression { kind: "external", status: "accepted", justification }
}

fn location(cluster: &Verification, place: &Place) -> Location {
    let is_file = is_file(cluster, place);
    let server = (!is_file).then(|| place.path.clone());
    let names = server.into_iter().chain(part_of(place)).map(|name| sanitised(&name));
    Location {
        id: None,
        physical_location: artifact(if is_file { &place.path } else { &cluster.root }),
        logical_locations: names.map(|fully_qualified_name| LogicalLocation { fully_qualified_name }).collect(),
        message: None,
    }
}

fn artifact(path: &str) -> PhysicalLocation {
    let uri = uri(path);
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri.text, uri_base_id: uri.is_relative.then_some(BASE) },
        region: Region { start_line: 1 },
    }
}

fn notification(cluster: &Verification, not: &NotLookedAt) -> Notification {
    Notification {
        level: "error",
        message: message(&format!("not looked at: {}", not.why)),
        locations: [location(cluster, &Place { path: not.path.clone(), ..Place::default() })],
    }
}
