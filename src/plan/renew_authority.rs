//! Whether an authority can be renewed with its key, and until when. Pure: its certificates, those of what it signed, and an instant
//! in; dates or a refusal out.
//!
//! Enough where only the date is the problem: the new certificate has the name, the key and the key identifiers of the old one, so
//! that each verifies what the other signed. A new key, name or algorithm is a rotation.

use time::{Duration, OffsetDateTime};

use crate::ca::CaError;
use crate::clock::Span;
use crate::plan::blueprints::BACK_DATE;
use crate::tree::{Authority, Unusable};
use crate::x509::{Certificate, KeyKind, OtherKey, VerifyError};

/// What is asked for, and what the tree says.
#[derive(Debug)]
pub struct Asked<'a> {
    pub now: OffsetDateTime,
    /// How long the new one is to live from now on: as the command line says, or the profile states; `None`: as long as the old
    /// one.
    pub validity: Option<Span>,
    /// The certificates of this authority's entries, by name.
    pub signed: &'a [(String, Certificate)],
}

/// What becomes of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Renew(Renewal),
    /// Another authority signed it, and has to sign it again: a request for the same key.
    Request,
}

/// The next certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// Entries that name the old one's serial number, where it has expired and they can only be renewed afterwards.
    pub renew_next: Vec<String>,
}

/// Why it is not renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Missing,
    /// Its key is not in this tree.
    External,
    /// Its key is of a kind that kpki does not sign with.
    Algorithm(OtherKey),
    /// Its files cannot be used.
    Unusable(Unusable),
    NotYetValid(OffsetDateTime),
    /// The new one would end no later.
    NotLater {
        old: OffsetDateTime,
        new: OffsetDateTime,
    },
    /// The authority key identifier of its own certificate has its serial number.
    NamesOwnSerial,
    /// Those of these entries have it.
    NamedBySerial(Vec<String>),
}

/// Decides one authority. `held`: the first certificate of its file, whether it can be used or not.
pub fn decide(
    authority: Option<&Authority>,
    held: Option<&Certificate>,
    asked: &Asked<'_>,
) -> Result<Decision, Refusal> {
    if let (Some(Authority::Unusable(_)), Some(KeyKind::Other(key))) = (authority, held.map(|held| &held.key)) {
        return Err(Refusal::Algorithm(key.clone()));
    }
    let old = match authority {
        Some(Authority::Local(bundle)) => bundle.first().ok_or(Refusal::Missing)?,
        Some(Authority::External(_)) => return Err(Refusal::External),
        Some(Authority::Closed(_, why)) => return Err(Refusal::Unusable(Unusable::Ca(CaError::Signer(why.clone())))),
        Some(Authority::Unusable(why)) => return Err(Refusal::Unusable(why.clone())),
        Some(Authority::Missing) | None => return Err(Refusal::Missing),
    };
    if asked.now < old.not_before {
        return Err(Refusal::NotYetValid(old.not_before));
    }
    if !signs_itself(old) {
        return Ok(Decision::Request);
    }
    if old.names_serial_of_issuer() {
        return Err(Refusal::NamesOwnSerial);
    }
    let by_serial = asked.signed.iter().filter(|(_, leaf)| leaf.names_issuer(old) && leaf.names_serial_of_issuer());
    let by_serial: Vec<String> = by_serial.map(|(name, _)| name.clone()).collect();
    // Below an expired one nothing is valid, and nothing can be renewed before it.
    if !by_serial.is_empty() && asked.now <= old.not_after {
        return Err(Refusal::NamedBySerial(by_serial));
    }
    let (not_before, not_after) = dates(old, asked);
    if not_after <= old.not_after {
        return Err(Refusal::NotLater { old: old.not_after, new: not_after });
    }
    Ok(Decision::Renew(Renewal { not_before, not_after, renew_next: by_serial }))
}

/// By its names, and by its signature where that can be verified: SHA-1 and MD5 are signed anew.
fn signs_itself(one: &Certificate) -> bool {
    one.is_self_issued() && !matches!(one.issued_by(one), Err(VerifyError::Signature))
}

/// From five minutes ago, for clocks that are behind, but later than the old one: which of the two is newer shows by that.
fn dates(old: &Certificate, asked: &Asked<'_>) -> (OffsetDateTime, OffsetDateTime) {
    let later = old.not_before.saturating_add(Duration::SECOND);
    let not_before = asked.now.saturating_sub(BACK_DATE).max(later).min(asked.now);
    let not_after = match asked.validity {
        Some(validity) => asked.now.saturating_add(validity.duration()),
        None => not_before.saturating_add(old.not_after - old.not_before),
    };
    (not_before, not_after.replace_nanosecond(0).unwrap_or(not_after))
}

#[cfg(test)]
#[path = "renew_authority_tests.rs"]
mod tests;
