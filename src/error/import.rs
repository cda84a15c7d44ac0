//! Messages: why a certificate cannot be put in place.

use super::failure::Error;
use crate::blueprint::Name;
use crate::clock::rfc3339;
use crate::files::shell_path;
use crate::plan::import::{Anchors, Objection, Refusal};
use crate::tree::{EntryId, Origin};

fn objection(objection: &Objection) -> String {
    match objection {
        Objection::Expired(at) => format!("it expired at {}", rfc3339(*at)),
        Objection::NotYetValid(at) => format!("it is not valid before {}", rfc3339(*at)),
        Objection::AuthorityMissing(authority) => format!(
            "the tree has no {}.crt to verify it",
            authority.stem()
        ),
        Objection::Path(_, why) if why.is_about_dates() => why.to_string(),
        Objection::Path(anchors, why) => no_path(anchors, why),
        Objection::Peer(anchors, why) => no_path(anchors, why),
        Objection::Certificate(mismatch) => mismatch.to_string(),
        Objection::MissingNames(names) => {
            format!("missing names: {}", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Objection::MaySign => {
            "it has the key usage keyCertSign and is no authority's, which RFC 5280 section 4.2.1.9 forbids".to_owned()
        }
        Objection::Serial => {
            "expected a positive serial number (RFC 5280 section 4.1.2.2), found 0 or a negative one, which Kubernetes refuses \
             to read"
                .to_owned()
        }
        Objection::SerialTaken(name) => {
            format!("its serial number is that of {name}, by the same issuer: a CRL could not tell the two apart")
        }
        Objection::Unusable(why) => why.to_string(),
        Objection::BrokenChain(why) => format!("its chain is not valid: {why}"),
        Objection::SignedByAnother(entries) => format!(
            "the existing certificates ({}) were signed by another authority: replacing that is a rotation",
            few(entries)
        ),
    }
}

fn no_path(anchors: &Anchors, why: &dyn std::error::Error) -> String {
    match anchors {
        Anchors::Authority(authority) => format!("it does not chain to the tree's {}.crt: {why}", authority.stem()),
        Anchors::Roots(file) => format!("it does not chain to a root in {file}: {why}"),
    }
}

fn few(names: &[String]) -> String {
    match names {
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        names => names.join(", "),
    }
}

/// Why a certificate is not put in place.
pub fn not_taken(refusal: &Refusal) -> String {
    let objections = |all: &[Objection]| all.iter().map(objection).collect::<Vec<_>>().join("; ");
    match refusal {
        Refusal::Bundle(why) => why.to_string(),
        Refusal::NoKey { named, subject } => {
            let of = named.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
            format!("no key{of} in use or of a pending request belongs to it (subject {subject})")
        }
        Refusal::AmbiguousKey => "several entries have its key; name one with --as NAME".to_owned(),
        Refusal::Unknown(id) => format!("{id} is in no profile or request; give the profile with --profile FILE"),
        Refusal::Unfit(id, all) => format!("it is for the key of {id}; {}", objections(all)),
        Refusal::Several(all) => {
            let one = |(subject, entry): &(Name, Option<EntryId>)| match entry {
                Some(id) => format!("{subject} (for the key of {id})"),
                None => format!("{subject} (for no key of this tree)"),
            };
            let all: Vec<String> = all.iter().map(one).collect();
            format!("expected one certificate with its chain, found {}: {}", all.len(), all.join(", "))
        }
        Refusal::BeforeTheSwitch(id) => format!(
            "it is for {id}, and of the new authority, which does not sign before the switch: expected the key of a request that \
             waits in the tree"
        ),
        Refusal::ByTheOld(_) => "it is signed by the authority that is to be replaced".to_owned(),
        Refusal::Twice => "another of the files is for the same entry".to_owned(),
        Refusal::UnnamedAuthority => {
            "it is the certificate of an authority, and no key that waits for one belongs to it; an external authority is named: \
             --as ca"
                .to_owned()
        }
        Refusal::OtherKey(authority) => format!("{}.key does not match it", authority.stem()),
        Refusal::UnfitAuthority(all) => objections(all),
    }
}

/// Whether a program has the certificate of an entry issued.
type HasIssuer<'a> = &'a dyn Fn(&str) -> bool;

/// The next steps for one file.
fn steps(file: &str, why: &Refusal, origin: &Origin, has_issuer: HasIssuer<'_>) -> Vec<String> {
    match why {
        Refusal::Bundle(_) => vec![format!("show what it holds: kpki inspect {}", shell_path(file))],
        Refusal::NoKey { named: Some(name), .. } if has_issuer(name) => {
            vec![format!(
                "have its issuer asked for a certificate of a new key: {}",
                origin.command("renew", &[name], &[])
            )]
        }
        Refusal::NoKey { named, .. } => {
            let name = named.as_deref().unwrap_or("NAME");
            vec![
                format!("make a key and a request for its entry: {}", origin.command("csr", &[name], &[])),
                "if kpki csr --out made its key, give that directory with --requests DIR".to_owned(),
            ]
        }
        Refusal::Several(_) => {
            let import = origin.command("import", &["CERT..."], &[]);
            vec![format!("put each in a file of its own, with its chain behind it: {import}")]
        }
        Refusal::BeforeTheSwitch(_) => {
            vec![format!("have the requests made: {}", origin.command("rotate switch", &[""; 0], &[]))]
        }
        Refusal::Twice => vec!["give one file for each entry".to_owned()],
        Refusal::Unfit(id, all) => {
            all.iter().flat_map(|one| step(file, &id.to_string(), one, origin, has_issuer)).collect()
        }
        Refusal::UnfitAuthority(all) => {
            all.iter().flat_map(|one| step(file, "NAME", one, origin, has_issuer)).collect()
        }
        Refusal::ByTheOld(_) => vec!["have its issuer sign with the new authority".to_owned()],
        Refusal::AmbiguousKey | Refusal::Unknown(_) | Refusal::UnnamedAuthority | Refusal::OtherKey(_) => Vec::new(),
    }
}

fn step(file: &str, id: &str, objection: &Objection, origin: &Origin, has_issuer: HasIssuer<'_>) -> Vec<String> {
    let append = "append the certificates between it and its authority to its file, nearest first".to_owned();
    match objection {
        Objection::Expired(_) if has_issuer(id) => {
            vec![format!("have its issuer asked for a new one: {}", origin.command("renew", &[id], &[]))]
        }
        Objection::Expired(_) => vec![format!("have a new one signed: {}", origin.command("csr", &[id], &[]))],
        Objection::NotYetValid(_) => vec!["check the clock of this machine, or wait".to_owned()],
        Objection::Path(_, why) if why.is_about_dates() => {
            vec!["have it signed by an authority whose own certificates are valid".to_owned()]
        }
        Objection::Path(Anchors::Roots(_), _) | Objection::Peer(Anchors::Roots(_), _) => {
            vec![append, "if its root is another one, give it with --root FILE".to_owned()]
        }
        Objection::Path(..) | Objection::Peer(..) | Objection::BrokenChain(_) => vec![append],
        Objection::Certificate(_) | Objection::MissingNames(_) | Objection::MaySign => vec![format!(
            "have it signed as it was requested, in {}/.kpki/requests; what it is shows: kpki inspect {}",
            origin.dir,
            shell_path(file)
        )],
        Objection::Serial | Objection::SerialTaken(_) => {
            vec!["have it signed again, with another serial number".to_owned()]
        }
        Objection::AuthorityMissing(authority) => {
            let import = origin.command("import", &["CERT"], &["--as", authority.name()]);
            vec![format!("import the authority's certificate first: {import}")]
        }
        Objection::Unusable(_) | Objection::SignedByAnother(_) => Vec::new(),
    }
}

/// Everything that makes an import impossible, as one error with the problems of each file.
pub fn not_imported(refused: &[(String, Refusal)], origin: &Origin, has_issuer: HasIssuer<'_>) -> Error {
    let mut error = Error::new(match refused {
        [(file, _)] => format!("cannot import {file}; nothing was written"),
        several => format!("cannot import {} of the certificates; nothing was written", several.len()),
    });
    error.why.extend(refused.iter().map(|(file, why)| format!("{file}: {}", not_taken(why))));
    for hint in refused.iter().flat_map(|(file, why)| steps(file, why, origin, has_issuer)) {
        if !error.hints.contains(&hint) {
            error.hints.push(hint);
        }
    }
    error
}
