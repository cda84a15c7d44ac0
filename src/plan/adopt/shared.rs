//! What all nodes of one cluster have in common: the authorities and the service account key pair.

use std::collections::BTreeMap;

use super::member::Member;
use super::refusal::Refusal;
use crate::ca::PrivateKey;
use crate::catalog::{CaId, find};
use crate::encoding::pem;
use crate::tree::Place;
use crate::x509::{Certificate, parse_authority};

/// Whose files are taken for the cluster: indexes of members.
#[derive(Debug, Default)]
pub struct Shared {
    pub authorities: BTreeMap<CaId, Found>,
    /// With sa.key; `None`: no node has a key pair.
    pub accounts: Option<usize>,
}

#[derive(Debug)]
pub struct Found {
    pub member: usize,
    /// Who has its key; `None`: nobody.
    pub key: Option<usize>,
    pub bundle: Vec<Certificate>,
}

/// `etcd`: whether the cluster's own etcd is among the nodes, so that its authority is the tree's.
pub fn shared(members: &[Member], etcd: bool) -> (Shared, Vec<Refusal>) {
    let mut refusals = Vec::new();
    let mut shared = Shared::default();
    for authority in CaId::ALL.into_iter().filter(|authority| etcd || *authority != CaId::Etcd) {
        if let Some(found) = self::authority(members, authority, &mut refusals) {
            shared.authorities.insert(authority, found);
        }
    }
    shared.accounts = accounts(members, &mut refusals);
    (shared, refusals)
}

/// The file with every certificate that any node has in its; a node with another authority is of another cluster.
fn authority(members: &[Member], authority: CaId, refusals: &mut Vec<Refusal>) -> Option<Found> {
    let mut found: Option<Found> = None;
    for (index, member) in members.iter().enumerate() {
        let (public, private) = member.authority(authority);
        let Some(bytes) = member.bytes(&public) else { continue };
        let bundle = match parse_authority(bytes) {
            Ok(bundle) => bundle,
            Err(why) => {
                refusals.push(Refusal::Authority { file: member.shown(&public), why });
                continue;
            }
        };
        let has_key = private.as_ref().is_some_and(|key| fits(member, key, bundle.first(), refusals));
        let Some(known) = &mut found else {
            found = Some(Found { member: index, key: has_key.then_some(index), bundle });
            continue;
        };
        let holds = |all: &[Certificate], some: &[Certificate]| {
            some.iter().all(|one| all.iter().any(|other| other.der == one.der))
        };
        match (holds(&known.bundle, &bundle), holds(&bundle, &known.bundle)) {
            (true, _) => known.key = known.key.or(has_key.then_some(index)),
            (false, true) => {
                let key = known.key.or(has_key.then_some(index));
                *known = Found { member: index, key, bundle };
            }
            (false, false) => {
                let first = members.get(known.member).map(|one| one.shown(&one.authority(authority).0));
                let (first, second) = (first.unwrap_or_default(), member.shown(&public));
                refusals.push(Refusal::OtherAuthority { authority, first, second });
            }
        }
    }
    // The key has to be that of the certificate that signs.
    if let Some(found) = &mut found {
        let signs = |index: &usize| {
            let member = members.get(*index)?;
            let key = PrivateKey::from_pem(member.bytes(&member.authority(authority).1?)?).ok()?;
            Some(key.matches(found.bundle.first()?))
        };
        let holders = found.key.into_iter().chain(0..members.len());
        found.key = holders.into_iter().find(|index| signs(index) == Some(true));
    }
    found
}

/// Whether there is a key, and it is that of the certificate.
fn fits(member: &Member, key: &Place, certificate: Option<&Certificate>, refusals: &mut Vec<Refusal>) -> bool {
    let Some(bytes) = member.bytes(key) else { return false };
    match (PrivateKey::from_pem(bytes), certificate) {
        (Ok(key), Some(certificate)) if key.matches(certificate) => true,
        (Ok(_), _) => {
            refusals.push(Refusal::KeyMismatch(member.shown(key)));
            false
        }
        (Err(why), _) => {
            refusals.push(Refusal::Key { file: member.shown(key), why });
            false
        }
    }
}

/// The member whose service account key pair is the cluster's.
fn accounts(members: &[Member], refusals: &mut Vec<Refusal>) -> Option<usize> {
    let entry = find("sa")?;
    let mut found: Option<(usize, String, String)> = None;
    for (index, member) in members.iter().enumerate() {
        let (_, Some(key)) = member.places(entry) else { continue };
        let Some(bytes) = member.bytes(&key) else { continue };
        let half = match PrivateKey::from_pem(bytes) {
            Ok(read) => read.public_pem(),
            Err(why) => {
                refusals.push(Refusal::Key { file: member.shown(&key), why });
                continue;
            }
        };
        match &found {
            None => found = Some((index, half, member.shown(&key))),
            Some((_, known, first)) if *known != half => {
                let (first, second) = (first.clone(), member.shown(&key));
                refusals.push(Refusal::OtherServiceAccount { first, second });
            }
            Some(_) => {}
        }
    }
    let (index, half, first) = found?;
    // A node without sa.key verifies tokens with another's sa.pub.
    for member in members {
        let (public, key) = member.places(entry);
        let has_key = key.is_some_and(|key| member.bytes(&key).is_some());
        let Some(bytes) = member.bytes(&public).filter(|_| !has_key) else { continue };
        if !pem::contains(bytes, &half) {
            refusals.push(Refusal::OtherServiceAccount { first: first.clone(), second: member.shown(&public) });
        }
    }
    Some(index)
}
