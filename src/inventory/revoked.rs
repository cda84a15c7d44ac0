//! What the lists beside a tree's authorities say of its certificates. Only lists that are there are read, only what their
//! authority signed is believed, and no key is needed. Whether a list is fresh is its own item's affair: what it names is
//! revoked also when it went stale since.

use std::path::{Path, PathBuf};

use super::Reading;
use super::lists::lists;
use super::object::ParsedObject;
use crate::files;
use crate::x509::revocation::{CrlIssuer, Strictness, vet};
use crate::x509::{Certificate, CrlLookup, Wanted, parse_pem_bundle};

/// A bundle of authorities.
const LARGEST: u64 = 4 << 20;

/// Marks the certificates that the newest believable of these lists names. `authority`: the file of the certificate that
/// signs them.
pub fn mark<'p>(authority: &Path, files: &[PathBuf], objects: impl Iterator<Item = &'p mut ParsedObject>) {
    let Some(issuer) = first(authority) else { return };
    let mut objects: Vec<&mut ParsedObject> =
        objects.filter(|object| object.issuer() == Some(&issuer.subject_der)).collect();
    let wanted = Wanted::new(objects.iter().filter_map(|object| object.serial()));
    let mut newest: Option<CrlLookup<'_>> = None;
    for der in files.iter().flat_map(|file| read(file)) {
        let Ok(listed) = CrlLookup::read(&der, &wanted) else { continue };
        let by = CrlIssuer { issuer: &issuer, delegates: &[], strictness: Strictness::Lenient };
        let rank = |one: &CrlLookup<'_>| (one.crl.edition(), one.crl.this_update);
        // As of its own day: later it is stale, which takes nothing back.
        let usable = vet(&listed, &der, by, listed.crl.this_update).is_usable() && !listed.crl.delta;
        if usable && newest.as_ref().is_none_or(|other| rank(&listed) > rank(other)) {
            newest = Some(listed);
        }
    }
    let Some(newest) = newest else { return };
    for object in &mut objects {
        let named =
            object.serial().and_then(|serial| newest.named(serial)).map(|named| Box::new(named.revoked.clone()));
        if let Reading::Certificate(facts) = &mut object.reading {
            facts.revoked = named;
        }
    }
}

fn first(path: &Path) -> Option<Certificate> {
    match files::read_input(path, LARGEST).ok()? {
        files::FileState::File { bytes, .. } => parse_pem_bundle(&bytes).ok()?.into_iter().next(),
        files::FileState::Missing => None,
    }
}

/// One that cannot be read says so as an item of its own.
fn read(path: &Path) -> Vec<Vec<u8>> {
    files::look(path).ok().flatten().and_then(|source| lists(&source).ok()).unwrap_or_default()
}
