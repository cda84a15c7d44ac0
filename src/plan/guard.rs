//! Checks of all decisions together: a new authority must not invalidate the certificates of an old one, and the nodes
//! of one cluster must share theirs.

use std::collections::BTreeSet;

use crate::blueprint::Subtree;
use crate::catalog::CaId;
use crate::files::FileState;
use crate::plan::decision::{Decision, Making, Notice, Reconciled, Refusal};
use crate::plan::item::{Item, What};
use crate::plan::sans;
use crate::profile::{NodeRole, Origin, Profile};
use crate::tree::{Authorities, Authority, Survey, file};
use crate::x509::Certificate;

/// Adds the refusals and notices that no single item shows.
pub fn guard(profile: &Profile, items: &[Item], survey: &Survey, out: &mut Reconciled) {
    let new: Vec<usize> = (0..items.len()).filter(|index| makes_shared(items, out, *index)).collect();
    for index in &new {
        orphans(items, survey, *index, out);
    }
    for index in &new {
        permitted(profile, items, *index, out);
    }
    if out.refusals.is_empty() && !new.is_empty() {
        shared(profile, items, &new, out);
    }
    readable(items, survey, out);
}

/// Authorities that are one, by any two certificates of their files: of one key, or one signed by the other. With one CA for the cluster and etcd, any kubelet's credential can write all of etcd; with one
/// for the front proxy, any client can act as any user.
pub fn shared_authorities(authorities: &Authorities) -> Vec<Refusal> {
    let bundle = |id: CaId| authorities.get(&id).map(Authority::bundle).unwrap_or_default();
    let is_one = |one: &Certificate, other: &Certificate| {
        one.spki_der == other.spki_der || one.signed_by(other).is_ok() || other.signed_by(one).is_ok()
    };
    let same = CaId::PAIRS.into_iter().filter(|(first, second)| {
        bundle(*first).iter().any(|one| bundle(*second).iter().any(|other| is_one(one, other)))
    });
    let refusal = |(first, second): (CaId, CaId)| Refusal::SharedAuthority {
        item: second.name().to_owned(),
        with: first.name().to_owned(),
    };
    same.map(refusal).collect()
}

/// An authority or service account key pair that this run would create.
fn makes_shared(items: &[Item], out: &Reconciled, index: usize) -> bool {
    matches!(
        (items.get(index).map(|item| &item.what), out.decisions.get(index)),
        (Some(What::Authority(_)), Some(Decision::Make(Making::Authority(..))))
            | (Some(What::ServiceAccount(_)), Some(Decision::Make(Making::KeyPair(_))))
    )
}

/// An authority is missing while its certificates or copies exist.
fn orphans(items: &[Item], survey: &Survey, index: usize, out: &mut Reconciled) {
    let Some(item) = items.get(index) else { return };
    let authority = match item.what {
        What::Authority(authority) => Some(authority),
        _ => None,
    };
    let follows = |other: &Item| match other.what {
        What::Copy { of } | What::SignerFile { of } => of == index,
        _ => authority.is_some() && other.signer() == authority,
    };
    let still: Vec<String> = items
        .iter()
        .filter(|other| follows(other) && file(survey, Some(&other.public)).is_some())
        .map(|one| one.id.to_string())
        .collect();
    if !still.is_empty() {
        out.refusals.push(Refusal::SharedMissing { item: item.id.to_string(), still });
    }
}

/// Names that a new authority's constraints exclude although the profile's certificates need them: reported here by
/// name, not by the verifier that would refuse the first of them.
fn permitted(profile: &Profile, items: &[Item], index: usize, out: &mut Reconciled) {
    let Some((item, What::Authority(authority))) = items.get(index).map(|item| (item, &item.what)) else { return };
    let options = profile.authorities.get(authority).filter(|options| !options.permitted.is_empty());
    let Some(options) = options else { return };
    let signed = items.iter().filter(|other| other.signer() == Some(*authority));
    let names =
        signed.flat_map(|other| match (&other.what, other.home.as_deref().and_then(|home| profile.node(home))) {
            (What::Leaf(entry) | What::Kubeconfig(entry, _), Some(node)) => sans::sans(entry.sans, profile, node),
            (What::Extra(extra), _) => sans::listed(&extra.sans),
            _ => Vec::new(),
        });
    let outside: BTreeSet<String> =
        names.filter(|san| !Subtree::permit(&options.permitted, san)).map(|san| san.to_string()).collect();
    if !outside.is_empty() {
        out.refusals.push(Refusal::NotPermitted { item: item.id.to_string(), names: outside.into_iter().collect() });
    }
}

/// One node's own tree of a cluster with several control-plane nodes: only the first may begin the authorities, as with
/// kubeadm `init` and `join`; the others get them from there (kubeadm-behaviour section 5.2 lists the files).
fn shared(profile: &Profile, items: &[Item], new: &[usize], out: &mut Reconciled) {
    let names: Vec<String> = new.iter().filter_map(|index| items.get(*index)).map(|one| one.id.to_string()).collect();
    let Some(home) = items.first().and_then(|item| item.home.as_deref()) else { return };
    let others = profile.nodes.iter().any(|node| node.is(NodeRole::ControlPlane) && node.name != home);
    let first = profile.first_control_plane().is_some_and(|node| node.name == home);
    if profile.origin == Origin::KubeadmJoin || (others && !first) {
        out.refusals.push(Refusal::SharedElsewhere { items: names });
    } else if others {
        out.notices.push(Notice::OthersNeedShared { items: names });
    }
}

/// Files with private keys that others may read.
fn readable(items: &[Item], survey: &Survey, out: &mut Reconciled) {
    for item in items {
        let public = Some(&item.public).filter(|_| matches!(item.what, What::Kubeconfig(..)));
        for place in item.private.iter().chain(public) {
            if let Some(FileState::File { mode, .. }) = survey.get(place)
                && mode & 0o077 != 0
            {
                out.notices.push(Notice::Readable { place: place.clone(), mode: *mode });
            }
        }
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
