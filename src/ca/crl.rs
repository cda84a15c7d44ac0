//! From the entries wanted to the signed CRL: written, read again by the walker, held against what was asked
//! for, its signature verified by ring. A CRL of a million entries is changed by copying what stays.

use std::collections::HashSet;

use time::OffsetDateTime;

use crate::ca::{CaError, CrlFault, Issuer, Purpose};
use crate::encoding::certificate::SignatureAlgorithm;
use crate::encoding::crl::{self, TbsContext};
use crate::revocation::{CrlIssue, Reason, RevocationList, Revoked, minimal_integer};
use crate::x509::crl_entry::{EntryAnomaly, entries};
use crate::x509::{Crl, Wanted, key_identifier};

/// A CRL that was read again, agrees with what was asked for, and verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCrl {
    pub der: Vec<u8>,
    pub crl: Crl,
}

impl SignedCrl {
    pub fn to_pem(&self) -> String {
        crl::to_pem(&self.der)
    }
}

/// What is to be different from the CRL before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changes<'a> {
    /// An entry takes the place of what the CRL says of the same serial number.
    pub additions: &'a [Revoked],
    /// Serial numbers, content octets; one that is not on the CRL is no error.
    pub removals: &'a [Vec<u8>],
}

/// Signs a CRL from nothing. An authority without cRLSign signs too: to warn is the caller's part.
pub fn sign_crl(list: &RevocationList, issuer: &Issuer) -> Result<SignedCrl, CaError> {
    let added = Added::new(&list.revoked)?;
    sign(&[], added, &list.edition, issuer)
}

/// Signs the next issue of a CRL. The one before must be this authority's, signed by its key, full, understood, and of a
/// lower number: what somebody else changed in the file is not signed as if it were ours. Its entries are copied byte for
/// byte; its own extensions beside number and key identifier are not repeated.
pub fn resign_crl(
    before: &[u8],
    changes: Changes<'_>,
    issue: &CrlIssue,
    issuer: &Issuer,
) -> Result<SignedCrl, CaError> {
    let old = Crl::parse(before).map_err(CaError::OldCrl)?;
    usable(&old, issue)?;
    old.signed_by(before, issuer.certificate()).map_err(CaError::OldCrlSignature)?;
    let added = Added::new(changes.additions)?;
    let gone = Wanted::new(changes.removals.iter().map(Vec::as_slice).chain(added.serials.iter().copied()));
    let kept = keep(old.entries_in(before), &gone)?;
    sign(&kept, added, issue, issuer)
}

fn usable(old: &Crl, issue: &CrlIssue) -> Result<(), CaError> {
    let full = !old.delta && old.scope.is_none();
    if !full {
        return Err(CaError::Crl(CrlFault::NotFull));
    }
    if let Some(oid) = old.unknown_critical.first() {
        return Err(CaError::Crl(CrlFault::UnknownCritical(oid.clone())));
    }
    match old.edition() {
        Some(before) if issue.number <= before => Err(CaError::Crl(CrlFault::NotNewer)),
        None if old.number.is_some() => Err(CaError::Crl(CrlFault::OldNumber)),
        _ => Ok(()),
    }
}

/// The entries as they stand, in as few pieces as leaving these out makes.
fn keep<'d>(all: &'d [u8], gone: &Wanted) -> Result<Vec<&'d [u8]>, CaError> {
    let mut kept = Vec::new();
    let (mut from, mut at) = (0usize, 0usize);
    for entry in entries(all) {
        let (raw, entry) = entry.map_err(|_| CaError::Crl(CrlFault::Entry))?;
        match entry.anomaly().map_err(|_| CaError::Crl(CrlFault::Entry))? {
            None => {}
            Some(EntryAnomaly::CertificateIssuer) => return Err(CaError::Crl(CrlFault::NotFull)),
            Some(EntryAnomaly::UnknownCritical) => return Err(CaError::Crl(CrlFault::Entry)),
        }
        let end = at.saturating_add(raw.len());
        if gone.contains(entry.serial) {
            kept.extend(all.get(from..at));
            from = end;
        }
        at = end;
    }
    kept.extend(all.get(from..));
    Ok(kept)
}

/// New entries, each serial number once, with their bytes.
struct Added<'a> {
    revoked: &'a [Revoked],
    serials: HashSet<&'a [u8]>,
    bytes: Vec<u8>,
}

impl<'a> Added<'a> {
    fn new(revoked: &'a [Revoked]) -> Result<Self, CaError> {
        let mut serials = HashSet::with_capacity(revoked.len());
        let mut bytes = Vec::new();
        for one in revoked {
            if one.reason == Some(Reason::RemoveFromCrl) {
                return Err(CaError::Crl(CrlFault::RemoveFromCrl));
            }
            if !serials.insert(minimal_integer(&one.serial)) {
                return Err(CaError::Crl(CrlFault::Twice));
            }
            bytes.extend_from_slice(&crl::entry(one)?);
        }
        Ok(Self { revoked, serials, bytes })
    }
}

fn sign(kept: &[&[u8]], added: Added<'_>, issue: &CrlIssue, issuer: &Issuer) -> Result<SignedCrl, CaError> {
    if issue.next_update <= issue.this_update {
        return Err(CaError::Crl(CrlFault::EmptyValidity));
    }
    let authority = issuer.certificate();
    // Section 5.2.1 wants an identifier in every CRL; where the authority's certificate has none, nothing is compared.
    let computed = key_identifier(&authority.spki_der).map_err(|_| CaError::BrokenPublicKey)?;
    let around = TbsContext {
        issuer: &authority.subject_der,
        signature: SignatureAlgorithm::of(issuer.signer().algorithm()),
        authority_key_id: authority.subject_key_id.as_deref().unwrap_or(&computed),
    };
    let pieces: Vec<&[u8]> = kept.iter().copied().chain([added.bytes.as_slice()]).collect();
    let to_be_signed = crl::to_be_signed(issue, &pieces, around)?;
    let signature = issuer.signer().sign(&to_be_signed, Purpose::Crl)?;
    let der = crl::signed(to_be_signed, around.signature, &signature);
    let read = Crl::parse(&der).map_err(CaError::RereadCrl)?;
    check(&read, issue, around).map_err(CaError::DiffersCrl)?;
    check_entries(read.entries_in(&der), kept, added.revoked).map_err(CaError::DiffersCrl)?;
    read.signed_by(&der, authority).map_err(CaError::VerifyCrl)?;
    Ok(SignedCrl { der, crl: read })
}

/// Everything read back is what was meant; else the name of what is not.
fn check(read: &Crl, issue: &CrlIssue, around: TbsContext<'_>) -> Result<(), &'static str> {
    let fields = [
        (read.version == 2, "version"),
        (read.issuer_der == around.issuer, "issuer"),
        (same_second(read.this_update, issue.this_update), "thisUpdate"),
        (read.next_update.is_some_and(|next| same_second(next, issue.next_update)), "nextUpdate"),
        (read.edition().as_ref() == Some(&issue.number), "number"),
        (read.authority_key_id.as_deref() == Some(around.authority_key_id), "authority key identifier"),
        (read.extensions.len() == 2 && !read.delta && read.scope.is_none(), "extensions"),
    ];
    fields.into_iter().find(|(agrees, _)| !agrees).map_or(Ok(()), |(_, what)| Err(what))
}

/// What was kept stands there byte for byte, and behind it every new entry says what was asked for.
fn check_entries(mut found: &[u8], kept: &[&[u8]], added: &[Revoked]) -> Result<(), &'static str> {
    for piece in kept {
        found = found.strip_prefix(*piece).ok_or("entry")?;
    }
    let mut new = entries(found);
    for wanted in added {
        let read = new.next().and_then(|entry| entry.and_then(|(_, entry)| entry.revoked()).ok());
        if !read.is_some_and(|read| says(&read, wanted)) {
            return Err("entry");
        }
    }
    if new.next().is_none() { Ok(()) } else { Err("number of entries") }
}

fn says(read: &Revoked, wanted: &Revoked) -> bool {
    let reason = |one: &Revoked| one.reason.filter(|reason| *reason != Reason::Unspecified);
    let since = match (read.invalid_since, wanted.invalid_since) {
        (Some(read), Some(wanted)) => same_second(read, wanted),
        (read, wanted) => read == wanted,
    };
    read.serial == wanted.serial
        && same_second(read.at, wanted.at)
        && reason(read) == reason(wanted)
        && since
        && read.other == wanted.other
}

/// Lists are written in whole seconds.
fn same_second(read: OffsetDateTime, wanted: OffsetDateTime) -> bool {
    read.unix_timestamp() == wanted.unix_timestamp()
}

#[cfg(test)]
#[path = "crl_tests.rs"]
mod tests;
