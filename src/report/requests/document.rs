//! The report as a document.

use serde_json::{Value, json};

use super::{Asks, Entry, Requests, Verb};
use crate::clock::rfc3339;
use crate::report::Facts;
use crate::report::renew::restart_value;

pub fn value(report: &Requests) -> Value {
    let kind = match report.verb {
        Verb::Csr => "CsrReport",
        Verb::Sign => "SignReport",
        Verb::Import => "ImportReport",
    };
    json!({
        "apiVersion": "kpki/v1",
        "kind": kind,
        "directory": report.directory,
        "dryRun": report.dry_run,
        "generation": report.generation,
        "entries": report.entries.iter().map(entry).collect::<Vec<_>>(),
        "restart": report.restart.iter().map(restart_value).collect::<Vec<_>>(),
        "warnings": report.warnings,
    })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "node": entry.node,
        "name": entry.name,
        "action": entry.action,
        "algorithm": entry.algorithm,
        "asked": entry.asked.as_ref().map(asked),
        "certificate": entry.facts.as_ref().map(facts),
        "replaces": entry.old.as_ref().map(facts),
        "refused": entry.refused,
        "added": entry.added,
        "reasons": entry.reasons,
        "paths": entry.paths,
    })
}

fn asked(asked: &Asks) -> Value {
    json!({"subject": asked.subject, "sans": asked.sans, "usages": asked.usages, "authority": asked.authority})
}

fn facts(facts: &Facts) -> Value {
    json!({
        "subject": facts.subject,
        "issuer": facts.issuer,
        "sans": facts.sans,
        "usages": facts.usages,
        "notBefore": rfc3339(facts.not_before),
        "expirationDate": rfc3339(facts.not_after),
        "serial": facts.serial,
        "sha256": facts.fingerprint,
    })
}
