//! Why something is not revoked, held or released, and why a CRL is not signed, in words.

use std::path::Path;

use time::OffsetDateTime;

use super::failure::Error;
use crate::ca::CaError;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::plan::revoke::Refusal;
use crate::revocation::{Reason, Revoked};
use crate::tree::Authority;

/// What is in the CRL's place cannot be continued.
pub fn bad_list(path: &Path, why: impl std::fmt::Display) -> Error {
    let shown = path.display();
    Error::new(format!("cannot use the revocation list {shown}: nothing was written"))
        .because(why)
        .hint(format!("look at it: kpki crl show {shown}"))
        .hint("put the authority's own list in its place, or move it away: the next one has every revocation of the journal")
}

pub fn list_not_signed(path: &Path, why: CaError) -> Error {
    match why {
        CaError::OldCrl(_) | CaError::OldCrlSignature(_) | CaError::Crl(_) => bad_list(path, why),
        why => Error::new(format!("cannot sign {}: nothing was written", path.display())).because(why),
    }
}

/// A new CRL with an earlier date than the one before would be taken for an old one.
pub fn list_of_tomorrow(path: &Path, this_update: OffsetDateTime, now: OffsetDateTime) -> Error {
    Error::new(format!("{} is of {}, and now it is {}", path.display(), rfc3339(this_update), rfc3339(now)))
        .hint("check the clock of this machine, or give a later instant with --at")
}

pub fn no_number_left(path: &Path) -> Error {
    Error::new(format!("{} has the highest number a CRL can have", path.display()))
        .because("RFC 5280 section 5.2.3: at most 20 octets, and each list has a higher one than the list before")
        .hint("plan a rotation of its authority: no reader would take a lower number")
}

/// The authority that would sign the CRL cannot.
pub fn no_signer(authority: CaId, authority_state: Option<&Authority>) -> Error {
    let (name, stem) = (authority.name(), authority.stem());
    match authority_state {
        Some(Authority::External(_)) => Error::new(format!("the key of {name} is not here: its list cannot be signed"))
            .hint(format!("run this where {stem}.key is (the cluster directory), and copy {stem}.crl from there"))
            .hint("or have the authority's owner revoke it: the serial number is what they need (kpki inspect)"),
        Some(Authority::Unusable(why)) => Error::new(format!("the authority {name} cannot sign: {why}"))
            .hint(format!("put the matching {stem}.crt and {stem}.key in place")),
        _ => Error::new(format!("the authority {name} is not here"))
            .hint(format!("check --dir, or restore {stem}.crt and {stem}.key")),
    }
}

/// The tree has no such name.
pub fn unknown_name(name: &str, known: &[&str]) -> Error {
    Error::usage(format!("there is no certificate {name:?} to revoke"))
        .because(format!("expected some of {}", known.join(", ")))
        .hint("give the certificate itself with --cert FILE, or its number with --serial HEX --ca CA")
}

pub fn ambiguous(name: &str, ids: &[String]) -> Error {
    Error::usage(format!("{name} is on {} nodes, and each has a certificate of its own", ids.len()))
        .because(format!("there are {}", ids.join(", ")))
        .hint("name those that are meant as NODE/NAME")
}

/// An authority, or a pair without a certificate.
pub fn not_revocable(name: &str) -> Error {
    match CaId::parse(name) {
        Some(authority) => Error::usage(format!("{name} is an authority: its own list cannot revoke it"))
            .because("a trust anchor is trusted without a look at its own revocation list")
            .hint(format!(
                "plan a rotation: a new authority in place of {}.crt, and the old one removed everywhere",
                authority.stem()
            )),
        None => Error::usage(format!("{name} has no certificate that could be revoked"))
            .hint("rotate the key: publish the new public key beside the old one first"),
    }
}

pub fn not_of_this_tree(what: &str, why: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot revoke {what}: no authority of this tree signed it"))
        .because(why)
        .hint("give the tree of its issuer with --dir: a list speaks only of what its authority signed")
}

pub fn serial_unknown(serial: &str, authority: CaId) -> Error {
    Error::new(format!("{} of this tree never issued a certificate {serial}, as far as is known", authority.name()))
        .because("neither the journal, nor the generations, nor a file of the tree has this number")
        .hint("check the number: kpki inspect FILE shows it")
        .hint("if it is meant all the same, say --unknown-serial")
}

/// Entries that cannot become what was asked for.
pub fn refused_entries(verb: &str, refusals: &[(String, Refusal)]) -> Error {
    let what = match refusals {
        [(name, _)] => name.clone(),
        several => format!("{} certificates", several.len()),
    };
    Error::new(format!("cannot {verb} {what}: nothing was written"))
        .causes(refusals.iter().map(|(name, refusal)| words(name, refusal)))
}

fn words(name: &str, refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::Fixed(listed) => (
            format!("{name} is {} already, and reason and dates stay as they were published", since(listed)),
            "leave it: a revocation is never changed; only a hold can become one".to_owned(),
        ),
        Refusal::Stronger(listed) => (
            format!("{name} is {} for good, and a hold would take that back", since(listed)),
            "leave it: what is revoked cannot be held".to_owned(),
        ),
        Refusal::NotAHold(listed) => (
            format!("{name} is {} for good; only a hold (certificateHold) can be released", since(listed)),
            "make a new certificate instead: kpki renew".to_owned(),
        ),
    }
}

/// `revoked since 2026-11-20T22:00:00Z (keyCompromise)`.
fn since(listed: &Revoked) -> String {
    format!("revoked since {} ({})", rfc3339(listed.at), listed.reason.unwrap_or(Reason::Unspecified))
}
