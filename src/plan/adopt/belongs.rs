//! Whether a node's certificates and kubeconfigs are of the cluster, and their keys theirs. Dates are another question.

use time::OffsetDateTime;

use super::member::Member;
use super::refusal::Refusal;
use super::shared::Shared;
use crate::ca::PrivateKey;
use crate::catalog::paths::KUBELET_SERVING;
use crate::catalog::{ENTRIES, Entry, Files};
use crate::encoding::pem;
use crate::kubeconfig::{self, Credentials};
use crate::tree::Place;
use crate::x509::{Certificate, PathError, parse_authority, parse_pem_bundle, path};

/// Everything of this node that is not the cluster's. `etcd`: the cluster's own etcd is among the nodes.
pub fn strangers(member: &Member, shared: &Shared, etcd: bool) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    for entry in ENTRIES.iter().filter(|entry| etcd || !entry.etcd) {
        let (public, private) = member.places(entry);
        let Some(bytes) = member.bytes(&public) else { continue };
        let file = || member.shown(&public);
        if entry.signer.is_none() {
            // Authorities and service account keys are compared among the nodes.
            continue;
        }
        if matches!(entry.files, Files::Kubeconfig(_)) {
            refusals.extend(kubeconfig(member, entry, bytes, shared, &file()));
            continue;
        }
        if entry.name == KUBELET_SERVING && !is_signed(member, entry, shared) {
            // The kubelet has signed it itself, and it is not taken.
            continue;
        }
        if pem::holds_private_key(bytes) {
            refusals.push(Refusal::PublicKeyFile(file()));
            continue;
        }
        match parse_pem_bundle(bytes) {
            Err(why) => refusals.push(Refusal::File { file: file(), why: why.into() }),
            Ok(bundle) => {
                refusals.extend(foreign(&bundle, entry, shared, &file()));
                refusals.extend(private.and_then(|key| mismatch(member, &key, bundle.first())));
            }
        }
    }
    refusals
}

/// Whether the cluster's authority has signed an entry of this node.
pub fn is_signed(member: &Member, entry: &Entry, shared: &Shared) -> bool {
    let Some(bundle) = member.bundle(entry) else { return false };
    path_of(&bundle, entry, shared).is_some_and(|judged| judged.is_ok())
}

/// `None`: the cluster has no such authority, or there is no certificate.
fn path_of(bundle: &[Certificate], entry: &Entry, shared: &Shared) -> Option<Result<(), PathError>> {
    let (leaf, intermediates) = bundle.split_first()?;
    let anchors = &shared.authorities.get(&entry.signer?)?.bundle;
    // While both were valid: a tree whose leaves have ended is still its cluster's.
    let lived = |anchor: &Certificate| anchor.not_before.max(leaf.not_before);
    let at: OffsetDateTime = anchors.iter().map(lived).min().unwrap_or(leaf.not_before);
    match path::judge(leaf, intermediates, anchors, at) {
        Err(why) if !why.is_about_dates() => Some(Err(why)),
        _ => Some(Ok(())),
    }
}

fn foreign(bundle: &[Certificate], entry: &Entry, shared: &Shared, file: &str) -> Option<Refusal> {
    let why = path_of(bundle, entry, shared)?.err()?;
    Some(Refusal::Foreign { file: file.to_owned(), authority: entry.signer?, why })
}

fn mismatch(member: &Member, key: &Place, certificate: Option<&Certificate>) -> Option<Refusal> {
    match PrivateKey::from_pem(member.bytes(key)?) {
        Err(why) => Some(Refusal::Key { file: member.shown(key), why }),
        Ok(found) => (!found.matches(certificate?)).then(|| Refusal::KeyMismatch(member.shown(key))),
    }
}

fn kubeconfig(member: &Member, entry: &Entry, bytes: &[u8], shared: &Shared, file: &str) -> Vec<Refusal> {
    let broken = |why| vec![Refusal::File { file: file.to_owned(), why }];
    let read = match kubeconfig::read(bytes) {
        Ok(read) => read,
        Err(why) => return broken(why.into()),
    };
    let mut refusals = Vec::new();
    if let Credentials::Embedded { certificate, key } = &read.credentials {
        let bundle = match parse_pem_bundle(certificate) {
            Ok(bundle) => bundle,
            Err(why) => return broken(why.into()),
        };
        refusals.extend(foreign(&bundle, entry, shared, file));
        match (PrivateKey::from_pem(key), bundle.first()) {
            (Err(why), _) => refusals.push(Refusal::Key { file: file.to_owned(), why }),
            (Ok(key), Some(leaf)) if !key.matches(leaf) => refusals.push(Refusal::KeyMismatch(file.to_owned())),
            (Ok(_), _) => {}
        }
    }
    // Files that it names may be of any cluster: then what it trusts says whose it is.
    let known = entry.signer.and_then(|authority| shared.authorities.get(&authority));
    let trusted = parse_authority(&read.authority).unwrap_or_default();
    let is_ours =
        |known: &super::shared::Found| known.bundle.iter().any(|one| trusted.iter().any(|other| other.der == one.der));
    let by_file = read.authority.is_empty();
    if refusals.is_empty() && !by_file && known.is_some_and(|known| !is_ours(known)) {
        refusals.push(Refusal::ForeignAuthorityData(member.shown(&member.places(entry).0)));
    }
    refusals
}
