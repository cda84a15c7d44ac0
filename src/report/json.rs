//! JSON: two spaces, keys in a fixed order, instants in RFC 3339 UTC, absent facts as null.

use serde_json::{Value, json};

use super::{Facts, Init, Item};
use crate::clock::rfc3339;

/// The report as a document; YAML is the same document.
pub fn value(report: &Init) -> Value {
    json!({
        "apiVersion": "kpki/v1",
        "kind": "InitReport",
        "outcome": report.outcome.name(),
        "clusterName": report.cluster,
        "directory": report.directory,
        "layout": report.layout,
        "node": report.node,
        "generation": report.generation,
        "entries": report.items.iter().map(item).collect::<Vec<_>>(),
        "warnings": report.warnings,
    })
}

fn item(item: &Item) -> Value {
    let facts = |pick: &dyn Fn(&Facts) -> Value| item.facts.as_ref().map_or(Value::Null, pick);
    json!({
        "node": item.node,
        "name": item.name,
        "action": item.action,
        "algorithm": item.algorithm,
        "subject": facts(&|f| json!(f.subject)),
        "issuer": facts(&|f| json!(f.issuer)),
        "sans": facts(&|f| json!(f.sans)),
        "usages": facts(&|f| json!(f.usages)),
        "notBefore": facts(&|f| json!(rfc3339(f.not_before))),
        "expirationDate": facts(&|f| json!(rfc3339(f.not_after))),
        "serial": facts(&|f| json!(f.serial)),
        "sha256": facts(&|f| json!(f.fingerprint)),
        "paths": item.paths,
        "reasons": item.reasons,
    })
}

pub fn text(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// With wider indentation. Strings hold no line breaks in JSON, so what leads a line is indentation.
pub fn indented(value: &Value, width: usize) -> String {
    let narrow = text(value);
    let mut wide = String::with_capacity(narrow.len() + narrow.len() / 4);
    for line in narrow.lines() {
        let rest = line.trim_start_matches(' ');
        wide.extend(std::iter::repeat_n(' ', (line.len() - rest.len()) / 2 * width));
        wide.push_str(rest);
        wide.push('\n');
    }
    wide
}
