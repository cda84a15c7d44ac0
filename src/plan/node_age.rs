//! Whether a file on a node is older than what is known of its entry. Pure: certificates in, findings out.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::node::{Finding, Judged, Newer, NewerIn, NodeEntry, NodeFile, certificates};

/// The certificates of one entry, as an archive, a manifest or a journal knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub newest: [u8; 32],
    /// Its notBefore, where that is known.
    pub from: Option<OffsetDateTime>,
    /// Those that it took the place of, as far as they are known.
    pub before: Vec<[u8; 32]>,
}

/// Adds a finding to each entry that has another certificate than the newest, and one that is known to be older.
pub fn older(judged: &mut [Judged], entries: &[NodeEntry], known: &BTreeMap<String, Known>, is_in: NewerIn) {
    for one in judged {
        let entry = entries.iter().find(|entry| entry.name == one.name);
        let Some((entry, known)) = entry.zip(known.get(&one.name)) else { continue };
        if is_older(entry, known) {
            one.renewed = false;
            one.findings.push(Finding::Older(Newer { is_in, from: known.from }));
        }
    }
}

fn is_older(entry: &NodeEntry, known: &Known) -> bool {
    // What the kubelet rotates is its own.
    let (NodeFile::File(bytes), NodeFile::Missing) = (&entry.public, &entry.client) else { return false };
    let found = certificates(entry.entry, bytes);
    let Some(leaf) = found.first().filter(|leaf| leaf.fingerprint != known.newest) else { return false };
    known.before.contains(&leaf.fingerprint) || known.from.is_some_and(|from| leaf.not_before < from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;

    fn entry(bytes: &[u8]) -> NodeEntry {
        NodeEntry {
            name: "apiserver".to_owned(),
            entry: crate::catalog::find("apiserver"),
            path: "/etc/kubernetes/pki/apiserver.crt".to_owned(),
            public: NodeFile::File(bytes.to_vec().into()),
            private: NodeFile::Missing,
            client: NodeFile::Missing,
            required: true,
            exported: None,
        }
    }

    #[test]
    fn older_is_what_came_before_or_began_before() {
        let pem = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/apiserver.crt");
        let own = entry(pem);
        let leaf = certificates(own.entry, pem).remove(0);
        let known = |newest, from, before: &[[u8; 32]]| Known { newest, from, before: before.to_vec() };
        let (early, late) = (leaf.not_before - Duration::SECOND, leaf.not_before + Duration::SECOND);
        for (known, is_it) in [
            (known(leaf.fingerprint, Some(late), &[]), false),
            (known([1; 32], None, &[]), false),
            (known([1; 32], None, &[[2; 32]]), false),
            (known([1; 32], None, &[[2; 32], leaf.fingerprint]), true),
            (known([1; 32], Some(late), &[]), true),
            (known([1; 32], Some(leaf.not_before), &[]), false),
            (known([1; 32], Some(early), &[]), false),
        ] {
            let mut judged = [Judged { name: own.name.clone(), path: String::new(), findings: vec![], renewed: true }];
            let from = known.from;
            older(
                &mut judged,
                std::slice::from_ref(&own),
                &BTreeMap::from([(own.name.clone(), known)]),
                NewerIn::Archive,
            );
            let wanted: &[Finding] = match is_it {
                true => &[Finding::Older(Newer { is_in: NewerIn::Archive, from })],
                false => &[],
            };
            assert_eq!((judged[0].findings.as_slice(), judged[0].renewed), (wanted, !is_it), "{from:?}");
        }
    }
}
