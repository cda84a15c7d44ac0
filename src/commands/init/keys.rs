//! The keys of new authorities that are no plain files of the tree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::request::Request;
use super::resolve::Resolved;
use crate::ca::same_key;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::keys::Fresh;
use crate::plan::blueprints;
use crate::plan::decision::{Decision, Making, Reconciled};
use crate::plan::item::{Item, What};
use crate::profile::{CaKeys, PassphraseFrom, Profile, Signing};
use crate::store::{self, StoreError};
use crate::tree::{Authorities, Layout};

/// A key for a file outside the tree.
pub type OutsideKey = (PathBuf, Zeroizing<Vec<u8>>);

/// The authorities that this run makes.
pub fn new(items: &[Item], decided: &Reconciled) -> Vec<CaId> {
    let made = items.iter().zip(&decided.decisions).filter_map(|(item, decision)| match (&item.what, decision) {
        (What::Authority(authority), Decision::Make(Making::Authority(..))) => Some(*authority),
        _ => None,
    });
    made.collect()
}

/// The authorities that sign something in this run, with those that are made.
pub fn signers(items: &[Item], decided: &Reconciled) -> BTreeSet<CaId> {
    let signs = |decision: &Decision| {
        matches!(decision, Decision::Make(Making::Certificate(..)) | Decision::Replace(Making::Certificate(..), _))
    };
    let made = items.iter().zip(&decided.decisions).filter(|(_, decision)| signs(decision));
    made.filter_map(|(item, _)| item.signer()).chain(new(items, decided)).collect()
}

/// Refuses, before anything is asked for, run or written, what cannot become the key of a new authority.
pub fn check(request: &Request, resolved: &Resolved, decided: &Reconciled) -> Result<(), Error> {
    let profile = &resolved.loaded.profile;
    let new = new(&resolved.items, decided);
    for authority in &new {
        check_source(profile, *authority, request.keys.keys.contains_key(authority))?;
    }
    check_passphrase(request, resolved, &new)?;
    let mut to_be_made = BTreeMap::new();
    for authority in new {
        let Some(path) = resolved.tree.keys.to_be_made(authority)? else { continue };
        if let Some(first) = to_be_made.insert(files::real(path), authority) {
            return Err(shared(authority, first, false));
        }
        files::trusted(path)?;
        store::check_file(path, false)?;
    }
    Ok(())
}

fn check_source(profile: &Profile, authority: CaId, is_given: bool) -> Result<(), Error> {
    let field = format!("authorities.{}", authority.name());
    match profile.authorities.get(&authority).and_then(|options| options.signing.as_ref()) {
        Some(Signing::Signer(signer)) if signer.public_key.is_none() && !is_given => Err(Error::new(format!(
            "{field}.signer.publicKey is missing in the profile: {} is to be made, and its certificate needs the public key",
            authority.name()
        ))
        .hint(format!(
            "state it beside {field}.signer.command: the path of a file with the key's public half in PEM, or a command that \
             writes it, as a list"
        ))),
        _ => Ok(()),
    }
}

/// What nodes read, or would get copies of, stays plain.
fn check_passphrase(request: &Request, resolved: &Resolved, new: &[CaId]) -> Result<(), Error> {
    let flag = match &request.keys.passphrase {
        Some(PassphraseFrom::File(_)) => "--key-passphrase-file",
        Some(PassphraseFrom::Variable(_)) => "--key-passphrase-env",
        None => return Ok(()),
    };
    let ca_keys = resolved.loaded.profile.ca_keys;
    let is_plain = |authority: &&CaId| !request.keys.keys.contains_key(authority);
    let found = match &resolved.layout {
        Layout::Node { name } => format!("found the tree of the node {name}"),
        Layout::Cluster if ca_keys != CaKeys::Nowhere => format!("found caKeys: {}", ca_keys.name()),
        Layout::Cluster => return Ok(()),
    };
    let names: Vec<&str> = new.iter().filter(is_plain).map(|authority| authority.name()).collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("{flag}: the keys of {} cannot be encrypted here", names.join(", ")))
        .because(format!("expected a cluster directory with caKeys: none, {found}"))
        .because("kube-controller-manager and kubeadm read an authority's key in plain")
        .hint("state caKeys: none in the profile and make the cluster directory on a safe host, without --node")
        .hint(format!("or leave {flag} out: the keys are plain files then, for their owner alone")))
}

/// One key would be that of two authorities. `can_be`: one that is there already, and may be accepted.
fn shared(authority: CaId, with: CaId, can_be: bool) -> Error {
    let accepted = if can_be { ", or accept that with --allow-shared-ca" } else { "" };
    Error::new(format!("{} and {} would have one key: nothing was written", with.name(), authority.name()))
        .because(
            "who trusts the one then trusts what the other has signed: a client of the one is trusted in the other",
        )
        .hint(format!("name a key of its own for {}{accepted}", authority.name()))
}

/// What becomes the key of each new authority, by the index of its item. Commands are run and files read here.
pub fn fresh(
    resolved: &Resolved,
    decided: &Reconciled,
    authorities: &Authorities,
) -> Result<BTreeMap<usize, Fresh>, Error> {
    let mut all = BTreeMap::new();
    let mut known: Vec<(CaId, Vec<u8>)> = Vec::new();
    for (authority, there) in authorities {
        known.extend(there.bundle().iter().map(|one| (*authority, one.spki_der.clone())));
    }
    for (index, (item, decision)) in resolved.items.iter().zip(&decided.decisions).enumerate() {
        if let (What::Authority(authority), Decision::Make(Making::Authority(algorithm, _))) = (&item.what, decision) {
            let is_stated = blueprints::stated(&resolved.loaded.profile, &item.what).algorithm;
            let fresh = resolved.tree.keys.fresh(*authority, is_stated.then_some(*algorithm));
            let fresh = fresh?;
            if let Fresh::There(signer) = &fresh {
                let key = signer.spki_der();
                let other = known.iter().find(|(other, one)| other != authority && same_key(one, &key));
                if let Some((other, _)) = other.filter(|_| !resolved.allow_shared_ca) {
                    return Err(shared(*authority, *other, true));
                }
                known.push((*authority, key));
            }
            all.insert(index, fresh);
        }
    }
    Ok(all)
}

/// Writes keys to their files outside the tree. They are not part of its transaction, which would keep a copy in the staging
/// directory of the tree: a run that ends between the two leaves a key that the next one uses.
pub fn write(outside: &[OutsideKey]) -> Result<(), StoreError> {
    outside.iter().try_for_each(|(path, bytes)| store::create_file(path, bytes, 0o600))
}

/// What is said of keys that were written, if their authorities were not.
pub fn left_behind(error: Error, outside: &[OutsideKey]) -> Error {
    let there = outside.iter().filter(|(path, _)| files::what(None, path).is_some());
    let left = |error: Error, (path, _): &OutsideKey| {
        error
            .because(format!("the new key is in {} already", path.display()))
            .hint("run the command again: it uses that key")
    };
    there.fold(error, left)
}
