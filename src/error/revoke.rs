//! Messages: why something is not revoked, held or released, and why a CRL is not signed.

use std::path::Path;

use super::failure::Error;
use super::keys::closed;
use super::nouns::mended;
use crate::ca::CaError;
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::files::shell_path;
use crate::plan::revoke::{Refusal, Verb};
use crate::profile::nearest;
use crate::revocation::{Reason, Revoked};
use crate::tree::{Authority, Origin};

/// The file in the CRL's place is not a CRL that can be continued.
pub fn bad_list(path: &Path, why: impl std::fmt::Display) -> Error {
    let shown = path.display();
    Error::new(format!("cannot use the CRL {shown}: nothing was written"))
        .because(why)
        .hint(format!("show it with: kpki crl show {}", shell_path(path)))
        .hint(
            "replace it by the authority's own CRL, or move it away: the next CRL has every revocation in the journal",
        )
}

pub fn list_not_signed(path: &Path, why: CaError) -> Error {
    match why {
        CaError::OldCrl(_) | CaError::OldCrlSignature(_) | CaError::Crl(_) => bad_list(path, why),
        why => {
            let hint = if let CaError::Signer(fault) = &why { fault.hint().map(str::to_owned) } else { None };
            let error = Error::new(format!("cannot sign {}: nothing was written", path.display())).because(why);
            hint.into_iter().fold(error, Error::hint)
        }
    }
}

pub fn no_number_left(path: &Path) -> Error {
    Error::new(format!("{} has the highest possible CRL number", path.display()))
        .because("RFC 5280 section 5.2.3: at most 20 octets, and each CRL has a higher one than the CRL before")
        .hint("plan a rotation of its authority: readers refuse a lower number")
}

/// The authority that would sign the CRL cannot.
pub fn no_signer(authority: CaId, authority_state: Option<&Authority>, origin: &Origin) -> Error {
    let (name, stem) = (authority.name(), authority.stem());
    match authority_state {
        Some(Authority::External(_)) => {
            Error::new(format!("the key of {name} is not in this tree: its CRL cannot be signed"))
                .hint(format!(
                    "run this in the tree that has {stem}.key (the cluster directory), and copy {stem}.crl from there"
                ))
                .hint("or have the authority's owner revoke it by its serial number, which kpki inspect FILE shows")
        }
        Some(Authority::Unusable(why)) => {
            Error::new(format!("the authority {name} cannot sign: {why}")).hint(mended(authority, why, origin))
        }
        Some(Authority::Closed(_, why)) => closed(authority, why),
        _ => Error::new(format!("the authority {name} is missing"))
            .hint(format!("check --dir, or restore {stem}.crt and {stem}.key")),
    }
}

/// The tree has no such name.
pub fn unknown_name(verb: Verb, name: &str, known: &[&str]) -> Error {
    let error = Error::usage(format!("there is no certificate {name:?} to {}", verb.name()))
        .because(format!("expected some of {}", known.join(", ")));
    let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean {near}?"));
    near.into_iter()
        .fold(error, Error::hint)
        .hint("give the certificate itself with --cert FILE, or its number with --serial HEX --authority NAME")
}

pub fn ambiguous(name: &str, ids: &[String]) -> Error {
    Error::usage(format!("{name} is on {} nodes, and each has a certificate of its own", ids.len()))
        .because(format!("there are {}", ids.join(", ")))
        .hint("give NODE/NAME")
}

/// An authority, or a pair without a certificate.
pub fn not_revocable(verb: Verb, name: &str) -> Error {
    let verb = verb.name();
    match CaId::parse(name) {
        Some(authority) => Error::usage(format!("cannot {verb} {name}: it is an authority"))
            .because("a trust anchor is not checked against its own CRL")
            .hint(format!(
                "replace it by a rotation, at whose end nobody trusts it any more; it begins with kpki rotate prepare {}",
                authority.name()
            )),
        None => Error::usage(format!("cannot {verb} {name}: it is a key pair without a certificate"))
            .hint("rotate the key: publish the new public key beside the old one first"),
    }
}

pub fn not_of_this_tree(verb: Verb, what: &str, why: impl std::fmt::Display) -> Error {
    Error::new(format!("cannot {} {what}: no authority of this tree signed it", verb.name()))
        .because(why)
        .hint("give the tree of its issuer with --dir, or have its issuer revoke it: a CRL covers only certificates of its authority")
}

pub fn serial_unknown(verb: Verb, serial: &str, authority: CaId) -> Error {
    Error::new(format!("{} of this tree has not issued a certificate {serial} that is known", authority.name()))
        .because("the serial number is neither in the journal, nor in the generations, nor in a file of the tree")
        .hint("check the number, which a certificate shows: kpki inspect FILE")
        .hint(format!("to {} it anyway, add --unknown-serial", verb.name()))
}

/// Entries for which the request is refused.
pub fn refused_entries(verb: &str, refusals: &[(String, Refusal)], origin: &Origin) -> Error {
    let what = match refusals {
        [(name, _)] => name.clone(),
        several => format!("{} certificates", several.len()),
    };
    Error::new(format!("cannot {verb} {what}: nothing was written"))
        .causes(refusals.iter().map(|(name, refusal)| words(name, refusal, origin)))
}

fn words(name: &str, refusal: &Refusal, origin: &Origin) -> (String, String) {
    match refusal {
        Refusal::Fixed(listed) => (
            format!("{name} is {} already, and a published reason and its dates do not change", since(listed)),
            "keep it: a revocation is never changed; only a hold can become a revocation".to_owned(),
        ),
        Refusal::Stronger(listed) => (
            format!("{name} is {} permanently, and a hold would undo that", since(listed)),
            "keep it: a revoked certificate cannot be held".to_owned(),
        ),
        Refusal::NotAHold(listed) => (
            format!("{name} is {} permanently; only a hold (certificateHold) can be released", since(listed)),
            format!("make a new certificate in its place: {}", origin.command("renew", &[name], &[])),
        ),
    }
}

/// `revoked since 2026-11-20T22:00:00Z (keyCompromise)`.
fn since(listed: &Revoked) -> String {
    format!("revoked since {} ({})", rfc3339(listed.at), listed.reason.unwrap_or(Reason::Unspecified))
}
