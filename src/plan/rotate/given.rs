//! Whether a certificate that somebody else made can be the new authority.

use time::OffsetDateTime;

use super::bundle::own_part;
use super::ready::{NotReady, keeps_subject};
use super::waits::Waits;
use crate::blueprint::{KeyUsage, Name};
use crate::ca::{CaError, Issuer};
use crate::clock::rfc3339;
use crate::x509::name_constraints::{ForbiddenName, NameConstraints};
use crate::x509::path::{self, Dates, Links, ValidationInput};
use crate::x509::policies::PolicyInput;
use crate::x509::{Certificate, PathError, VerifyError};

/// Why it cannot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    #[error("it has the key of the old authority: a new date alone needs no rotation")]
    SameKey,
    #[error(transparent)]
    Unusable(CaError),
    #[error("expected the key usages keyCertSign and cRLSign")]
    KeyUsage,
    #[error("expected a subjectKeyIdentifier, found none")]
    NoKeyId,
    #[error("expected a positive serial number")]
    Serial,
    #[error("expected one that is valid now, found not before {}", rfc3339(*.0))]
    NotYetValid(OffsetDateTime),
    #[error("expected an end after {}, when both waits can be over, found {}", rfc3339(*.needed), rfc3339(*.end))]
    Ends { end: OffsetDateTime, needed: OffsetDateTime },
    #[error("expected its own signature: {0}")]
    Signature(VerifyError),
    #[error("expected what stands above it behind it, up to a root, found nothing by {0}")]
    NoRoot(Name),
    #[error("expected the new authority first and what stands above it, found {} besides", list(.0))]
    Stray(Vec<Name>),
    #[error("expected a valid path to its root: {0}")]
    Path(PathError),
    #[error("expected room for it and the certificates below it, found a path length of {found} in {above}")]
    PathLength { above: Name, found: u32 },
    #[error("{0}: {1}")]
    Forbidden(String, ForbiddenName),
    #[error("expected name constraints that can be read in {0}")]
    Constraints(Name),
    #[error("it has the name of the old authority{}", same_name(.0))]
    SameName(NotReady),
    #[error("it has the name of the old authority, and {0} would not verify beside it: {1}")]
    OldLeaf(String, PathError),
}

fn list(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn same_name(why: &NotReady) -> String {
    match why {
        NotReady::NoKeyId => ", which has no subjectKeyIdentifier to tell the two apart".to_owned(),
        NotReady::LeavesWithoutKeyId(leaves) => {
            format!(", and these do not say whose they are (authorityKeyIdentifier): {}", leaves.join(", "))
        }
        NotReady::Ended(_) | NotReady::EndsTooSoon { .. } => String::new(),
    }
}

/// Everything that speaks against it. `file`: it, and what stands above it; `old`: the same of the old one; `leaves`: of the old one,
/// which the new one is to sign again.
pub fn judge(
    file: &[Certificate],
    old: &[Certificate],
    leaves: &[(String, Certificate)],
    waits: Waits,
    now: OffsetDateTime,
) -> Vec<Objection> {
    let Some((new, signer)) = file.first().zip(old.first()) else { return Vec::new() };
    let mut all = Vec::new();
    if old.iter().any(|one| one.spki_der == new.spki_der) {
        all.push(Objection::SameKey);
    }
    all.extend(Issuer::check(new).err().map(Objection::Unusable));
    let usages = KeyUsage::KEY_CERT_SIGN.and(KeyUsage::CRL_SIGN);
    if new.is_ca && !new.key_usage.is_some_and(|usage| usage.contains(usages)) {
        all.push(Objection::KeyUsage);
    }
    if new.subject_key_id.is_none() {
        all.push(Objection::NoKeyId);
    }
    if !new.has_positive_serial() {
        all.push(Objection::Serial);
    }
    if now < new.not_before {
        all.push(Objection::NotYetValid(new.not_before));
    }
    let needed = now.saturating_add(waits.whole());
    if new.not_after <= needed {
        all.push(Objection::Ends { end: new.not_after, needed });
    }
    all.extend(above(file, now));
    all.extend(names(file, leaves));
    if new.subject_der == signer.subject_der {
        all.extend(keeps_subject(signer, leaves).err().map(Objection::SameName));
        all.extend(beside(old, file, leaves, now));
    }
    all
}

/// The path to its root.
fn above(file: &[Certificate], now: OffsetDateTime) -> Vec<Objection> {
    let own = own_part(file);
    let mut all = Vec::new();
    let stray: Vec<Name> = file.iter().filter(|one| !own.contains(one)).map(|one| one.subject.clone()).collect();
    let Some((root, below)) = own.split_last() else { return all };
    if !root.is_self_issued() {
        all.push(Objection::NoRoot(root.issuer.clone()));
    } else if let Err(why) = root.signed_by(root) {
        all.push(Objection::Signature(why));
    } else if let Some((new, between)) = below.split_first() {
        let input = ValidationInput {
            anchors: std::slice::from_ref(root),
            intermediates: between,
            at: now,
            links: Links::Exact,
            dates: Dates::All,
            policies: PolicyInput::default(),
            revocation: None,
        };
        all.extend(path::validate(new, input).err().map(Objection::Path));
        let levels = own.iter().skip(1).zip(1_u32..);
        let short = levels.filter_map(|(one, level)| Some((one, one.path_len.filter(|length| *length < level)?)));
        all.extend(short.map(|(one, found)| Objection::PathLength { above: one.subject.clone(), found }));
    }
    // Without its root, what else is there may be meant as one.
    if !stray.is_empty() {
        all.push(Objection::Stray(stray));
    }
    all
}

/// What the new one and those above it do not let it sign.
fn names(file: &[Certificate], leaves: &[(String, Certificate)]) -> Vec<Objection> {
    let mut all = Vec::new();
    for one in own_part(file) {
        let Some(value) = &one.name_constraints else { continue };
        match NameConstraints::read(value) {
            Ok(constraints) => {
                let of = |(id, leaf): &(String, Certificate)| {
                    Some(Objection::Forbidden(id.clone(), constraints.forbidden(leaf)?))
                };
                all.extend(leaves.iter().filter_map(of));
            }
            Err(_) => all.push(Objection::Constraints(one.subject.clone())),
        }
    }
    all
}

/// Leaves that verified before and do not beside another authority of that name.
fn beside(
    old: &[Certificate],
    new: &[Certificate],
    leaves: &[(String, Certificate)],
    now: OffsetDateTime,
) -> Vec<Objection> {
    let bundle = [old, new].concat();
    let fails = |(id, leaf): &(String, Certificate)| {
        path::judge(leaf, &[], old, now).ok()?;
        let why = path::judge(leaf, &[], &bundle, now).err()?;
        Some(Objection::OldLeaf(id.clone(), why))
    };
    leaves.iter().filter_map(fails).collect()
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
