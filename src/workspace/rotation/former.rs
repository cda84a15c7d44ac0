//! An authority that signed before the one that signs now, and whose lists are still signed: until the step back, or until its key is
//! forgotten.

use super::record::{self, Kept};
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::error::Error;
use crate::keys::{KeyRing, Owner};
use crate::store::Roots;
use crate::tree::Former;
use crate::tree::rotation::{Identity, KeyPlace, Phase, Record, Rotating};
use crate::x509::Certificate;

/// The one among these certificates, with its key as it is kept. What opens that key is not asked for.
pub fn of(
    (roots, keys): (&Roots, &KeyRing),
    authority: CaId,
    trusted: &[Certificate],
) -> Result<Option<Former>, Error> {
    let rotating = Rotating::Authority(authority);
    let Some(pem) = record::key(roots, rotating, Kept::Previous)? else {
        return Ok(elsewhere(keys, authority, trusted, &record::read(roots)?));
    };
    let certificate = match PrivateKey::from_pem(&pem) {
        Ok(key) => trusted.iter().find(|one| key.matches(one)).cloned(),
        // An encrypted key does not say whose it is.
        Err(_) => old(&record::read(roots)?, rotating).and_then(|(old, _)| among(trusted, old)),
    };
    Ok(certificate.map(|certificate| Former { certificate, pem: Some(pem) }))
}

fn elsewhere(keys: &KeyRing, authority: CaId, trusted: &[Certificate], record: &Record) -> Option<Former> {
    let (old, place) = old(record, Rotating::Authority(authority))?;
    let certificate = among(trusted, old).filter(|_| matches!(place, KeyPlace::Source(_)))?;
    let is_named = keys.owner(authority, &certificate) != Owner::Unknown;
    is_named.then_some(Former { certificate, pem: None })
}

/// The old authority of a rotation that is switched, or over.
fn old(record: &Record, rotating: Rotating) -> Option<(&Identity, &KeyPlace)> {
    let retired = record.retired.iter().rfind(|one| one.authority == rotating);
    let (old, place) = match record.of(rotating) {
        Some(one) if one.phase == Phase::Prepared => return None,
        Some(one) => (&one.old, &one.old_key),
        None => retired.map(|one| (&one.old, &one.old_key))?,
    };
    Some((old.first()?, place))
}

fn among(trusted: &[Certificate], old: &Identity) -> Option<Certificate> {
    trusted.iter().find(|one| Identity::of_certificate(one).public_key == old.public_key).cloned()
}
