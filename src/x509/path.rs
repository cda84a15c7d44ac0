//! From a certificate up to an anchor (RFC 5280 section 6), with revocation: signatures, names, dates, roles, path lengths,
//! critical extensions and CRLs. What this program does not process is refused wherever it stands: name constraints and
//! policy constraints. A stricter reader than the TLS peer in [`crate::x509::chain`]: the anchor's dates, role and path
//! length count too.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{KeyUsage, Oid};
use crate::encoding::certificate::signed_parts;
use crate::x509::crl_lookup::CrlLookup;
use crate::x509::revocation::{Answer, CrlIssuer, Status, Strictness, Vetted, status, vet};
use crate::x509::verify::verify_signed_parts;
use crate::x509::{Certificate, VerifyError, same_name};

/// Certificates between leaf and anchor; real trees have two or three.
const DEPTH: usize = 12;
/// Paths that are tried: certificates that sign each other in circles must not keep a reader busy.
const PATHS: usize = 64;
/// Certificates looked at on the way up, on all paths together.
const STEPS: usize = 4096;
/// Signers of lists whose own validity hangs on other signers of lists.
const SIGNERS: usize = 2;

/// What restricts a path in ways nobody here evaluates: nameConstraints, policyConstraints, inhibitAnyPolicy.
const CONSTRAINTS: [&str; 3] = ["2.5.29.30", "2.5.29.36", "2.5.29.54"];

/// What a certificate is held against.
#[derive(Debug, Clone, Copy)]
pub struct ValidationInput<'a> {
    pub anchors: &'a [Certificate],
    /// In any order; may hold more than is needed.
    pub intermediates: &'a [Certificate],
    /// `None`: revocation is not asked about.
    pub lists: Option<&'a [(&'a [u8], CrlLookup<'a>)]>,
    pub strictness: Strictness,
    pub at: OffsetDateTime,
}

/// Why no path is valid; `place` counts certificates from the anchor, which is 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathError {
    /// No names lead to an anchor.
    NoPath,
    Signature {
        place: usize,
        why: VerifyError,
    },
    NotYetValid {
        place: usize,
    },
    Expired {
        place: usize,
    },
    /// It signs without being an authority that may.
    NoAuthority {
        place: usize,
    },
    PathLength {
        place: usize,
    },
    UnknownCritical {
        place: usize,
        oid: Oid,
    },
    Constraint {
        place: usize,
        oid: Oid,
    },
    /// Revoked, held or unknown.
    Revocation {
        place: usize,
        answer: Box<Answer>,
    },
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath => f.write_str("expected a path to an anchor, found none"),
            Self::Signature { place, why } => write!(f, "certificate {place}: {why}"),
            Self::NotYetValid { place } => write!(f, "certificate {place} is not valid yet"),
            Self::Expired { place } => write!(f, "certificate {place} has expired"),
            Self::NoAuthority { place } => {
                write!(
                    f,
                    "certificate {place}: expected an authority that may sign certificates, found one that may not"
                )
            }
            Self::PathLength { place } => {
                write!(f, "certificate {place} is one authority more than those above it allow")
            }
            Self::UnknownCritical { place, oid } => {
                write!(f, "certificate {place}: expected no critical extensions but the known, found {oid}")
            }
            Self::Constraint { place, oid } => {
                write!(f, "certificate {place}: expected no constraints on names or policies, found {oid}")
            }
            Self::Revocation { place, answer } => {
                let said = match answer.status {
                    Status::Revoked(_) => "is revoked",
                    Status::Held(_) => "is on hold",
                    Status::Good | Status::Unknown => "may be revoked: no CRL says it is not",
                };
                write!(f, "certificate {place} {said}")
            }
        }
    }
}

impl std::error::Error for PathError {}

/// The first path found valid, from the anchor down to the leaf; else what is wrong with the one that came furthest.
pub fn validate<'a>(leaf: &'a Certificate, input: ValidationInput<'a>) -> Result<Vec<&'a Certificate>, PathError> {
    validate_below(leaf, input, &mut Vec::new())
}

/// `asking`: whose validity is being asked about already, so that a list's signer cannot vouch for itself.
fn validate_below<'a>(
    leaf: &'a Certificate,
    input: ValidationInput<'a>,
    asking: &mut Vec<[u8; 32]>,
) -> Result<Vec<&'a Certificate>, PathError> {
    let mut paths = Vec::new();
    climb(vec![leaf], input, &mut paths, &mut 0);
    let mut furthest: Option<(usize, PathError)> = None;
    asking.push(leaf.fingerprint);
    for path in paths {
        match check(&path, input, asking) {
            Ok(()) => {
                asking.pop();
                return Ok(path);
            }
            Err((place, error)) if furthest.as_ref().is_none_or(|(best, _)| place > *best) => {
                furthest = Some((place, error));
            }
            Err(_) => {}
        }
    }
    asking.pop();
    Err(furthest.map_or(PathError::NoPath, |(_, error)| error))
}

/// Every way up by names, `path` going from the leaf upwards; found paths go downwards.
fn climb<'a>(
    path: Vec<&'a Certificate>,
    input: ValidationInput<'a>,
    found: &mut Vec<Vec<&'a Certificate>>,
    steps: &mut usize,
) {
    let Some(top) = path.last() else { return };
    *steps = steps.saturating_add(1);
    for anchor in input.anchors.iter().filter(|anchor| same_name(&top.issuer, &anchor.subject)) {
        if found.len() < PATHS {
            found.push(std::iter::once(anchor).chain(path.iter().rev().copied()).collect());
        }
    }
    if path.len() > DEPTH || *steps > STEPS {
        return;
    }
    for above in input.intermediates.iter().filter(|above| same_name(&top.issuer, &above.subject)) {
        let met = path.iter().any(|seen| seen.fingerprint == above.fingerprint);
        if !met && found.len() < PATHS {
            climb(path.iter().copied().chain([above]).collect(), input, found, steps);
        }
    }
}

/// From the anchor down; the place comes along with what is wrong there.
fn check(
    path: &[&Certificate],
    input: ValidationInput<'_>,
    asking: &mut Vec<[u8; 32]>,
) -> Result<(), (usize, PathError)> {
    let last = path.len().saturating_sub(1);
    // How many authorities that are not self-issued may still follow.
    let mut room = usize::MAX;
    let mut above: Option<&Certificate> = None;
    for (place, certificate) in path.iter().copied().enumerate() {
        let wrong = |error: PathError| (place, error);
        if let Some(issuer) = above {
            signed(certificate, issuer).map_err(|why| wrong(PathError::Signature { place, why }))?;
        }
        own(certificate, place, input.at).map_err(wrong)?;
        if place < last {
            if !certificate.may_sign_certificates() {
                return Err(wrong(PathError::NoAuthority { place }));
            }
            if above.is_some() && !same_name(&certificate.issuer, &certificate.subject) {
                room = room.checked_sub(1).ok_or(wrong(PathError::PathLength { place }))?;
            }
            let limit = certificate.path_len.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            room = room.min(limit);
        }
        if let (Some(issuer), Some(lists)) = (above, input.lists) {
            let answer = revoked(certificate, issuer, lists, input, asking);
            if answer.status != Status::Good {
                return Err(wrong(PathError::Revocation { place, answer: Box::new(answer) }));
            }
        }
        above = Some(certificate);
    }
    Ok(())
}

/// What a certificate must be wherever it stands.
fn own(certificate: &Certificate, place: usize, at: OffsetDateTime) -> Result<(), PathError> {
    if at < certificate.not_before {
        return Err(PathError::NotYetValid { place });
    }
    if at > certificate.not_after {
        return Err(PathError::Expired { place });
    }
    let mut extensions = certificate.extensions.iter().map(|(oid, _)| oid);
    if let Some(oid) = extensions.find(|oid| CONSTRAINTS.contains(&&*oid.0)) {
        return Err(PathError::Constraint { place, oid: oid.clone() });
    }
    match certificate.unknown_critical.first() {
        Some(oid) => Err(PathError::UnknownCritical { place, oid: oid.clone() }),
        None => Ok(()),
    }
}

/// [`Certificate::signed_by`] with names compared as section 7.1 has it, which [`climb`] did.
fn signed(certificate: &Certificate, issuer: &Certificate) -> Result<(), VerifyError> {
    let frame = signed_parts(&certificate.der).map_err(|_| VerifyError::Signature)?;
    verify_signed_parts(&frame, &certificate.signature_algorithm, issuer)
}

fn revoked(
    certificate: &Certificate,
    issuer: &Certificate,
    lists: &[(&[u8], CrlLookup<'_>)],
    input: ValidationInput<'_>,
    asking: &mut Vec<[u8; 32]>,
) -> Answer {
    let ours: Vec<_> = lists.iter().filter(|(_, list)| same_name(&list.crl.issuer, &issuer.subject)).collect();
    let by_issuer = |list: &CrlLookup<'_>, der: &[u8]| list.crl.signed_by(der, issuer).is_ok();
    let delegates: Vec<&Certificate> = if asking.len() > SIGNERS || ours.iter().all(|(der, list)| by_issuer(list, der))
    {
        Vec::new()
    } else {
        input
            .intermediates
            .iter()
            .filter(|other| same_name(&other.subject, &issuer.subject) && other.spki_der != issuer.spki_der)
            .filter(|other| other.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN)))
            .filter(|other| ours.iter().any(|(der, list)| list.crl.signed_by(der, other).is_ok()))
            .filter(|other| !asking.contains(&other.fingerprint) && validate_below(other, input, asking).is_ok())
            .collect()
    };
    let authority = CrlIssuer { issuer, delegates: &delegates, strictness: input.strictness };
    let vetted: Vec<Vetted<'_>> = ours.iter().map(|(der, list)| vet(list, der, authority, input.at)).collect();
    status(certificate, issuer, &vetted)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
