//! What one profile says otherwise than another: field by field, by the documents that both are.

use std::collections::BTreeSet;

use super::model::Profile;
use super::render::render_as_stated;
use crate::encoding::yaml::{self, Entry, Node, Value};

/// A field with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// As in `apiServer.certSANs`, `nodes[cp1].addresses`.
    pub field: String,
    /// What it does not say any more: the value before, or elements of a list.
    pub removed: Vec<String>,
    /// What it says now.
    pub added: Vec<String>,
}

/// In the order of the fields; none where both mean the same.
pub fn differences(before: &Profile, after: &Profile) -> Vec<Difference> {
    let document = |profile: &Profile| yaml::read(render_as_stated(profile).as_bytes()).documents.into_iter().next();
    let mut found = Vec::new();
    if before != after {
        values("", document(before).as_ref(), document(after).as_ref(), &mut found);
    }
    found
}

fn values(field: &str, before: Option<&Node>, after: Option<&Node>, found: &mut Vec<Difference>) {
    match (before.map(|node| &node.value), after.map(|node| &node.value)) {
        (Some(Value::Mapping(old)), Some(Value::Mapping(new))) => {
            let key = |entry: &Entry| entry.key.clone();
            for name in names(old, new, key) {
                let of = |all: &'_ [Entry]| all.iter().position(|entry| entry.key == name);
                let (old, new) = (of(old).and_then(|at| old.get(at)), of(new).and_then(|at| new.get(at)));
                let below = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                values(&below, old.map(|one| &one.node), new.map(|one| &one.node), found);
            }
        }
        (Some(Value::Sequence(old)), Some(Value::Sequence(new))) => elements(field, old, new, found),
        (old, new) => {
            let (removed, added) = (old.and_then(flow), new.and_then(flow));
            if removed != added {
                let [removed, added] = [removed, added].map(|one| one.into_iter().collect());
                found.push(Difference { field: field.to_owned(), removed, added });
            }
        }
    }
}

/// Elements with a name are compared by it; others are there or not.
fn elements(field: &str, old: &[Node], new: &[Node], found: &mut Vec<Difference>) {
    let name = |node: &Node| yaml::text(node, "name").map(str::to_owned);
    if old.iter().chain(new).all(|node| name(node).is_some()) {
        for key in names(old, new, |node| name(node).unwrap_or_default()) {
            let is_it = |node: &&Node| name(node).as_deref() == Some(&key);
            values(&format!("{field}[{key}]"), old.iter().find(is_it), new.iter().find(is_it), found);
        }
        return;
    }
    let texts = |all: &[Node]| all.iter().filter_map(|node| flow(&node.value)).collect::<Vec<_>>();
    let (old, new) = (texts(old), texts(new));
    let without = |all: &[String], others: &[String]| {
        let others: BTreeSet<&String> = others.iter().collect();
        all.iter().filter(|one| !others.contains(one)).cloned().collect::<Vec<_>>()
    };
    let (removed, added) = (without(&old, &new), without(&new, &old));
    let field = field.to_owned();
    match removed.is_empty() && added.is_empty() {
        // The same in another order, which may mean something: a node's first address.
        true if old != new => {
            found.push(Difference { field, removed: vec![old.join(", ")], added: vec![new.join(", ")] });
        }
        true => {}
        false => found.push(Difference { field, removed, added }),
    }
}

/// The names of both, in the order of the new ones, and then those that are gone.
fn names<T>(old: &[T], new: &[T], name: impl Fn(&T) -> String) -> Vec<String> {
    let mut known = BTreeSet::new();
    let all = new.iter().chain(old).map(name);
    all.filter(|name| known.insert(name.clone())).collect()
}

/// A value as one line; `None`: there is none.
fn flow(value: &Value) -> Option<String> {
    let some = |all: Vec<String>, open: &str, close: &str| {
        (!all.is_empty()).then(|| format!("{open}{}{close}", all.join(", ")))
    };
    match value {
        Value::Null => None,
        Value::Scalar { text, .. } => Some(text.as_str().to_owned()),
        Value::Sequence(items) => some(items.iter().filter_map(|item| flow(&item.value)).collect(), "[", "]"),
        Value::Mapping(entries) => {
            let pair = |entry: &Entry| Some(format!("{}: {}", entry.key, flow(&entry.node.value)?));
            some(entries.iter().filter_map(pair).collect(), "{", "}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Overrides, Source, load};

    fn profile(text: &str) -> Profile {
        let text = format!("apiVersion: kpki/v1\nkind: ClusterProfile\n{text}");
        load(Source { name: "p", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile
    }

    #[test]
    fn every_change_is_named_by_its_field() {
        const ONE: &str = "nodes:\n- name: cp1\n  addresses: [10.0.0.11]\n";
        let line = |one: &Difference| format!("{} -{:?} +{:?}", one.field, one.removed, one.added);
        for (before, after, expected) in [
            ("", "# a comment\n", vec![]),
            ("", "apiServer:\n  certSANs: [a.example.com]\n", vec![r#"apiServer.certSANs -[] +["a.example.com"]"#]),
            (
                "apiServer:\n  certSANs: [a.example.com, b.example.com]\n",
                "apiServer:\n  certSANs: [c.example.com, b.example.com]\n",
                vec![r#"apiServer.certSANs -["a.example.com"] +["c.example.com"]"#],
            ),
            (
                "apiServer:\n  certSANs: [a.example.com, b.example.com]\n",
                "apiServer:\n  certSANs: [b.example.com, a.example.com]\n",
                vec![r#"apiServer.certSANs -["a.example.com, b.example.com"] +["b.example.com, a.example.com"]"#],
            ),
            ("clusterName: a\n", "clusterName: b\n", vec![r#"clusterName -["a"] +["b"]"#]),
            (
                "",
                "renewal:\n  before: 60d\n  hooks:\n    pre: [/bin/touch, it]\n",
                vec![r#"renewal.before -["33%"] +["60d"]"#, r#"renewal.hooks.pre -[] +["[/bin/touch, it]"]"#],
            ),
            // What is stated and was left to the default: a renewal follows it.
            ("", "encryptionAlgorithm: RSA-2048\n", vec![r#"encryptionAlgorithm -[] +["RSA-2048"]"#]),
        ] {
            let [before, after] = [before, after].map(|text| profile(&format!("{text}{ONE}")));
            let found: Vec<String> = differences(&before, &after).iter().map(line).collect();
            assert_eq!(found, expected);
            // Backwards the same is removed that was added.
            let back = differences(&after, &before);
            assert!(
                back.iter().all(|one| found.contains(&format!("{} -{:?} +{:?}", one.field, one.added, one.removed)))
            );
        }
    }

    #[test]
    fn nodes_are_known_by_their_names() {
        let nodes = |all: &[(&str, &str)]| {
            let node = |(name, address): &(&str, &str)| {
                format!("- name: {name}\n  roles: [control-plane]\n  addresses: [{address}]\n")
            };
            let all: String = all.iter().map(node).collect();
            profile(&format!("controlPlaneEndpoint: lb.example.com:6443\nnodes:\n{all}"))
        };
        let before = nodes(&[("cp1", "10.0.0.1"), ("cp2", "10.0.0.2"), ("cp3", "10.0.0.3")]);
        let after = nodes(&[("cp2", "10.0.0.22"), ("cp4", "10.0.0.4"), ("cp3", "10.0.0.3")]);
        let found: Vec<_> = differences(&before, &after).into_iter().map(|one| (one.field, one.added)).collect();
        let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["nodes[cp2].addresses", "nodes[cp4]", "nodes[cp1]"]);
        assert!(found.iter().any(|(_, added)| added.iter().any(|text| text.contains("10.0.0.4"))), "{found:?}");
    }
}
