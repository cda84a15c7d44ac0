//! Why a certificate may not be put in place, in words.

use super::failure::Error;
use crate::clock::rfc3339;
use crate::plan::import::Objection;

pub fn objection(objection: &Objection) -> String {
    match objection {
        Objection::Expired(at) => format!("it expired at {}", rfc3339(*at)),
        Objection::NotYetValid(at) => format!("it is not valid before {}", rfc3339(*at)),
        Objection::AuthorityMissing(authority) => format!(
            "the tree has no {}.crt to hold it against; import the authority's certificate first: kpki import CERT --as {}",
            authority.stem(),
            authority.name()
        ),
        Objection::Chain(authority, why) => {
            format!("no path leads from it to the tree's {}.crt: {why}", authority.stem())
        }
        Objection::Certificate(mismatch) => mismatch.to_string(),
        Objection::MissingNames(names) => {
            format!("missing names: {}", names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Objection::Unusable(why) => why.to_string(),
        Objection::BrokenChain(why) => format!("its chain does not hold: {why}"),
        Objection::SignedByAnother(entries) => format!(
            "another authority signed what is in place ({}): putting this one there is a rotation",
            few(entries)
        ),
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

/// Everything that makes an import impossible, as one error. Each file with what is wrong with it.
pub fn unwelcome(refused: &[(String, Vec<String>)]) -> Error {
    let error = Error::new(match refused {
        [(file, _)] => format!("cannot import {file}; nothing was written"),
        several => format!("cannot import {} of the certificates; nothing was written", several.len()),
    });
    let whys = refused.iter().map(|(file, why)| format!("{file}: {}", why.join("; ")));
    whys.fold(error, Error::because)
        .hint("compare it with what was asked for: kpki inspect CERT DIR/.kpki/requests/...")
        .hint("append the certificates between it and the tree's authority to its file, nearest first")
}
