//! Where a cluster has moved to: kubeconfigs with a server that an earlier profile gave them, and nodes whose tree is yet to be made.

use std::collections::BTreeSet;

use super::{Credential, Decision, Skipped};
use crate::tree::{Place, Survey, file};

/// The server of the profile, for a kubeconfig whose own is one that an earlier profile gave. Any other was set by a person,
/// and stays.
pub(super) fn server(credential: &Credential, found: &str, former: &[String]) -> Option<String> {
    let wanted = &credential.wanted.as_ref()?.0.access()?.server;
    (found != wanted && former.iter().any(|one| one == found)).then(|| wanted.clone())
}

/// The nodes of a cluster directory of which there is no file: their trees are `init`'s, which gives them the authorities too.
/// `copies`: the places of the authorities on the nodes.
pub fn without_tree<'c>(
    credentials: &'c [Credential],
    copies: impl Iterator<Item = &'c (String, crate::catalog::CaId, Place)>,
    survey: &Survey,
) -> BTreeSet<String> {
    let is_there = |place: &Place| file(survey, Some(place)).is_some();
    let mut nodes: BTreeSet<String> = credentials.iter().filter_map(|one| one.id.node.clone()).collect();
    for one in credentials.iter().filter(|one| one.places().any(is_there)) {
        one.id.node.as_ref().map(|node| nodes.remove(node));
    }
    for (node, ..) in copies.filter(|(.., place)| is_there(place)) {
        nodes.remove(node);
    }
    nodes
}

/// The decision for an entry of such a node.
pub fn not_before_its_tree(credential: &Credential, node: &str) -> Decision {
    match credential.wanted.is_some() && credential.replenished {
        true => Decision::Skipped(Skipped::NodeMissing(node.to_owned()), None),
        false => Decision::Absent,
    }
}
