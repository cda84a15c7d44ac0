//! What the lists beside a tree's authorities say of its certificates. Only lists that are there are read, only what their
//! authority signed is believed, and no key is needed. Whether a list is fresh is its own item's affair: what it names is
//! revoked also when it went stale since.

use std::path::{Path, PathBuf};

use super::Reading;
use super::lists::lists;
use super::piece::Piece;
use crate::files;
use crate::x509::revocation::{Authority, Strictness, vet};
use crate::x509::{Certificate, Listed, Wanted, parse_pem_bundle};

/// A bundle of authorities.
const LARGEST: u64 = 4 << 20;

/// Marks the certificates that the newest believable of these lists names. `authority`: the file of the certificate that
/// signs them.
pub fn mark<'p>(authority: &Path, files: &[PathBuf], pieces: impl Iterator<Item = &'p mut Piece>) {
    let Some(issuer) = first(authority) else { return };
    let mut pieces: Vec<&mut Piece> = pieces.filter(|piece| piece.issuer() == Some(&issuer.subject_der)).collect();
    let wanted = Wanted::new(pieces.iter().filter_map(|piece| piece.serial()));
    let mut newest: Option<Listed<'_>> = None;
    for der in files.iter().flat_map(|file| read(file)) {
        let Ok(listed) = Listed::read(&der, &wanted) else { continue };
        let by = Authority { issuer: &issuer, delegates: &[], strictness: Strictness::Lenient };
        let rank = |one: &Listed<'_>| (one.crl.edition(), one.crl.this_update);
        // As of its own day: later it is stale, which takes nothing back.
        let usable = vet(&listed, &der, by, listed.crl.this_update).is_usable() && !listed.crl.delta;
        if usable && newest.as_ref().is_none_or(|other| rank(&listed) > rank(other)) {
            newest = Some(listed);
        }
    }
    let Some(newest) = newest else { return };
    for piece in &mut pieces {
        let named = piece.serial().and_then(|serial| newest.named(serial)).map(|named| Box::new(named.revoked.clone()));
        if let Reading::Certificate(facts) = &mut piece.reading {
            facts.revoked = named;
        }
    }
}

fn first(path: &Path) -> Option<Certificate> {
    match files::read_input(path, LARGEST).ok()? {
        files::Found::File { bytes, .. } => parse_pem_bundle(&bytes).ok()?.into_iter().next(),
        files::Found::Missing => None,
    }
}

/// One that cannot be read says so as an item of its own.
fn read(path: &Path) -> Vec<Vec<u8>> {
    files::look(path).ok().flatten().and_then(|source| lists(&source).ok()).unwrap_or_default()
}
