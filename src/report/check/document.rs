//! JSON and YAML: kubeadm's `CertificateExpirationInfo`, field by field with the same meaning, and ours under further keys.
//! What has no date says null, never 0.

use serde_json::{Map, Value, json};

use super::cells::{self, Block};
use super::{Check, advice};
use crate::audit::{Judged, JudgedTree, Note, State};
use crate::clock::rfc3339;
use crate::inventory::{Kind, Reading};
use crate::report::json;
use crate::revocation::Reason;

/// The document as JSON with kubeadm's four spaces, item by item: of a fleet it is never held whole as values.
pub fn json(check: &Check) -> String {
    let mut text = String::from("{");
    for (key, part) in parts(check) {
        text.push_str(if text.len() > 1 { ",\n" } else { "\n" });
        text.push_str(&format!("    \"{key}\": "));
        match part {
            Part::Value(value) => text.push_str(shifted(&value, 4).trim_start()),
            Part::Items(block) => {
                let items = selected(check, block);
                text.push('[');
                for (position, (tree, judged)) in items.iter().enumerate() {
                    text.push_str(if position == 0 { "\n" } else { ",\n" });
                    text.push_str(&shifted(&item(tree, judged), 8));
                }
                text.push_str(if items.is_empty() { "]" } else { "\n    ]" });
            }
        }
    }
    text.push_str("\n}\n");
    text
}

/// A value in JSON, every line this much further in.
fn shifted(value: &Value, by: usize) -> String {
    let mut text = String::new();
    for line in json::indented(value, 4).lines() {
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&format!("{:by$}{line}", ""));
    }
    text
}

/// The document's fields in order; the lists of items are made as they are written.
enum Part {
    Value(Value),
    Items(Block),
}

fn selected(check: &Check, block: Block) -> Vec<(&JudgedTree, &Judged)> {
    let selected = check.selected();
    let all = selected.into_iter().flat_map(|(tree, items)| items.into_iter().map(move |judged| (tree, judged)));
    all.filter(|(_, judged)| cells::block(judged) == block).collect()
}

pub fn value(check: &Check) -> Value {
    let whole = parts(check).into_iter().map(|(key, part)| {
        let value = match part {
            Part::Value(value) => value,
            Part::Items(block) => selected(check, block).into_iter().map(|(tree, judged)| item(tree, judged)).collect(),
        };
        (key.to_owned(), value)
    });
    Value::Object(whole.collect())
}

fn parts(check: &Check) -> Vec<(&'static str, Part)> {
    vec![
        ("kind", Part::Value(json!("CertificateExpirationInfo"))),
        ("apiVersion", Part::Value(json!("output.kubeadm.k8s.io/v1alpha3"))),
        ("certificates", Part::Items(Block::Certificate)),
        ("certificateAuthorities", Part::Items(Block::Authority)),
        ("crls", Part::Items(Block::Crl)),
        ("at", Part::Value(json!(rfc3339(check.at)))),
        (
            "verdict",
            Part::Value(json!({
                "state": check.verdict.state.name(),
                "total": check.verdict.counts.total(),
                "counts": counts(|state| check.verdict.counts.get(state)),
            })),
        ),
        ("trees", Part::Value(check.trees.iter().map(tree).collect())),
        ("advice", Part::Value(check.advice.iter().map(advice::value).collect())),
    ]
}

fn counts(count: impl Fn(State) -> usize) -> Value {
    Value::Object(State::ALL.into_iter().map(|state| (state.name().to_owned(), json!(count(state)))).collect())
}

fn tree(tree: &JudgedTree) -> Value {
    let counted = crate::audit::Counts::of(&tree.items);
    let policy = &tree.policy;
    json!({
        "root": tree.root,
        "cluster": tree.cluster,
        "node": tree.node,
        "state": counted.worst().name(),
        "total": counted.total(),
        "thresholds": {
            "warning": policy.warning.to_string(),
            "critical": policy.critical.to_string(),
            "caWarning": policy.ca_warning.to_string(),
            "caCritical": policy.ca_critical.to_string(),
        },
    })
}

fn item(tree: &JudgedTree, judged: &Judged) -> Value {
    let item = &judged.item;
    let there = !matches!(item.reading, Reading::Missing | Reading::Unreadable(_));
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    // kubeadm's, in kubeadm's order.
    put("name", json!(item.name));
    put("expirationDate", json!(judged.expires.map(rfc3339)));
    put("residualTime", json!(judged.residual));
    put("externallyManaged", json!(there && item.externally_managed));
    if let (Some(authority), true, Block::Certificate | Block::Crl) = (item.authority, there, cells::block(judged)) {
        put("caName", json!(authority.name()));
    }
    put("missing", json!(item.reading == Reading::Missing));
    // Ours.
    put("state", json!(judged.state.name()));
    put("type", json!(type_name(item.kind)));
    put("cluster", json!(tree.cluster));
    put("node", json!(tree.node));
    put("path", json!(item.path));
    put("position", json!(item.position));
    put("optional", json!(item.optional));
    put("notes", notes(judged));
    match &item.reading {
        Reading::Missing => {}
        Reading::Unreadable(why) => put("reason", json!(why.to_string())),
        Reading::Certificate(facts) => {
            put("subject", json!(facts.subject));
            put("issuer", json!(facts.issuer));
            put("sans", json!(facts.sans));
            put("usages", json!(facts.usages));
            put("serial", json!(facts.serial));
            put("algorithm", json!(facts.algorithm));
            put("sha256", json!(hex(&facts.fingerprint)));
            put("notBefore", json!(rfc3339(facts.not_before)));
            if let Some(revoked) = &facts.revoked {
                put("revocationDate", json!(rfc3339(revoked.at)));
                put("revocationReason", json!(revoked.reason.unwrap_or(Reason::Unspecified).name()));
            }
        }
        Reading::Crl(facts) => {
            put("issuer", json!(facts.issuer));
            put("crlNumber", json!(facts.number));
            put("thisUpdate", json!(rfc3339(facts.this_update)));
            put("entries", json!(facts.entries));
        }
    }
    Value::Object(map)
}

fn notes(judged: &Judged) -> Value {
    let note = |note: &Note| match note {
        Note::OutlivesAuthority { until } => json!({"note": "outlives-authority", "date": rfc3339(*until)}),
        Note::CutsRenewalsShort { wanted } => json!({"note": "cuts-renewals-short", "date": rfc3339(*wanted)}),
    };
    Value::Array(judged.notes.iter().map(note).collect())
}

pub fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Certificate => "certificate",
        Kind::Authority => "authority",
        Kind::Kubeconfig => "kubeconfig",
        Kind::KubeconfigAuthority => "kubeconfig-authority",
        Kind::Crl => "crl",
        Kind::Secret => "secret",
    }
}

/// Lower case without colons, as other tools' JSON has it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
