//! Which certificates on a node are still by an authority that is being retired. Pure: certificates in, names out.

use std::collections::BTreeMap;

use super::node::{NodeEntry, NodeFile, certificates};
use crate::catalog::{CaId, Entry};
use crate::tree::phases::Phases;
use crate::tree::rotation::{Phase, Rotating};
use crate::x509::Certificate;

/// The entries whose certificate, as it is used, was signed by another certificate of an authority's file than the first.
pub fn by_retiring(entries: &[NodeEntry], phases: &Phases) -> Vec<String> {
    let authority = |one: &NodeEntry| one.entry.and_then(Entry::authority);
    let bundles: BTreeMap<CaId, Vec<Certificate>> =
        entries.iter().filter_map(|one| Some((authority(one)?, found(one)))).collect();
    let is_left = |one: &&NodeEntry| {
        let signer = one.entry.and_then(|entry| entry.signer);
        let switched = signer.filter(|id| phases.get(Rotating::Authority(*id)) == Some(Phase::Switched));
        let bundle = switched.and_then(|id| bundles.get(&id)).map(Vec::as_slice).unwrap_or_default();
        let Some((signs, former)) = bundle.split_first() else { return false };
        let by = |leaf: &Certificate, authority: &Certificate| leaf.signed_by(authority).is_ok();
        found(one).first().is_some_and(|leaf| !by(leaf, signs) && former.iter().any(|old| by(leaf, old)))
    };
    entries.iter().filter(is_left).map(|one| one.name.clone()).collect()
}

/// What is used: of kubelet.conf the kubelet's own.
fn found(one: &NodeEntry) -> Vec<Certificate> {
    match (&one.client, &one.public) {
        (NodeFile::File(bytes), _) => crate::x509::parse_pem_bundle(bytes).unwrap_or_default(),
        (_, NodeFile::File(bytes)) => certificates(one.entry, bytes),
        _ => Vec::new(),
    }
}
