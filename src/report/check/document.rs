//! JSON and YAML: kubeadm's `CertificateExpirationInfo`, field by field with the same meaning, and ours under further keys.
//! What has no date says null, never 0.

use serde_json::{Map, Value, json};

use super::cells::{self, Block};
use super::{Check, advice};
use crate::audit::{Judged, JudgedTree, Note, State};
use crate::clock::rfc3339;
use crate::inventory::{Kind, Reading};

pub fn value(check: &Check) -> Value {
    let selected = check.selected();
    let list = |block: Block| -> Vec<Value> {
        selected
            .iter()
            .flat_map(|(tree, items)| items.iter().map(move |judged| (tree, judged)))
            .filter(|(_, judged)| cells::block(judged) == block)
            .map(|(tree, judged)| item(tree, judged))
            .collect()
    };
    json!({
        "kind": "CertificateExpirationInfo",
        "apiVersion": "output.kubeadm.k8s.io/v1alpha3",
        "certificates": list(Block::Certificate),
        "certificateAuthorities": list(Block::Authority),
        "crls": list(Block::Crl),
        "at": rfc3339(check.at),
        "verdict": {
            "state": check.verdict.state.name(),
            "total": check.verdict.counts.total(),
            "counts": counts(|state| check.verdict.counts.get(state)),
        },
        "trees": check.trees.iter().map(tree).collect::<Vec<_>>(),
        "advice": check.advice.iter().map(advice::value).collect::<Vec<_>>(),
    })
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
        Reading::Unreadable(why) => put("reason", json!(why)),
        Reading::Certificate(facts) => {
            put("subject", json!(facts.subject));
            put("issuer", json!(facts.issuer));
            put("sans", json!(facts.sans));
            put("usages", json!(facts.usages));
            put("serial", json!(facts.serial));
            put("algorithm", json!(facts.algorithm));
            put("sha256", json!(hex(&facts.fingerprint)));
            put("notBefore", json!(rfc3339(facts.not_before)));
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
