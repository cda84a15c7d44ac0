//! The report as a document.

use serde_json::{Value, json};

use super::{Entry, Failure, Hook, Renew, Restart, Side, Tree};
use crate::clock::rfc3339;

pub fn value(report: &Renew) -> Value {
    json!({
        "apiVersion": "kpki/v1",
        "kind": "RenewReport",
        "dryRun": report.dry_run,
        "outcome": report.outcome().name(),
        "trees": report.trees.iter().map(tree).collect::<Vec<_>>(),
    })
}

fn tree(tree: &Tree) -> Value {
    json!({
        "directory": tree.directory,
        "clusterName": tree.cluster,
        "outcome": tree.outcome().name(),
        "generation": tree.generation,
        "finished": tree.finished,
        "rolledBack": tree.rolled_back,
        "entries": tree.entries.iter().map(entry).collect::<Vec<_>>(),
        "revocationLists": tree.lists.iter().map(crate::report::revoke::list).collect::<Vec<_>>(),
        "restart": tree.restart.iter().map(restart).collect::<Vec<_>>(),
        "hooks": tree.hooks.iter().map(hook).collect::<Vec<_>>(),
        "warnings": tree.warnings,
        "failure": tree.failure.as_ref().map(failure),
    })
}

fn entry(entry: &Entry) -> Value {
    json!({
        "node": entry.node,
        "name": entry.name,
        "action": entry.action.name(),
        "reasons": entry.reasons,
        "keyReused": entry.key_reused,
        "namesAdded": entry.names_added,
        "namesRemoved": entry.names_removed,
        "namesSurplus": entry.names_surplus,
        "old": entry.old.as_ref().map(side),
        "new": entry.new.as_ref().map(side),
        "paths": entry.paths,
    })
}

fn side(side: &Side) -> Value {
    json!({
        "algorithm": side.algorithm,
        "subject": side.facts.subject,
        "issuer": side.facts.issuer,
        "sans": side.facts.sans,
        "usages": side.facts.usages,
        "notBefore": rfc3339(side.facts.not_before),
        "expirationDate": rfc3339(side.facts.not_after),
        "serial": side.facts.serial,
        "sha256": side.facts.fingerprint,
    })
}

pub fn restart(restart: &Restart) -> Value {
    json!({
        "node": restart.node,
        "component": restart.component,
        "action": restart.action,
        "why": restart.why,
        "entries": restart.entries,
        "command": restart.command,
    })
}

fn hook(hook: &Hook) -> Value {
    json!({
        "hook": hook.name,
        "node": hook.node,
        "component": hook.component,
        "succeeded": hook.succeeded,
        "ended": hook.ended,
        "output": hook.output,
    })
}

fn failure(failure: &Failure) -> Value {
    json!({"what": failure.what, "why": failure.why, "hints": failure.hints})
}
