//! Messages: what is refused in a signing request.

use super::failure::Error;
use crate::encoding::public_key::EXPECTED;
use crate::plan::sign::{Declined, DeniedAttribute, MOST_NAMES};
use crate::x509::certificate::signature_name;

/// A requested attribute that is denied.
pub fn denied_attribute(wish: &DeniedAttribute) -> String {
    match wish {
        DeniedAttribute::Authority => "a CA certificate (--ca makes one)".to_owned(),
        DeniedAttribute::Subject(subject) => format!("the subject {subject}"),
        DeniedAttribute::Name(san) => format!("the name {san}"),
        DeniedAttribute::Usage(usage) => format!("the usage {}", usage.name()),
        DeniedAttribute::KeyUsage(name) => format!("the key usage {name}"),
        DeniedAttribute::Extension(oid) => format!("the extension {oid}"),
    }
}

/// Requests that are not signed at all, as one error with the problems of each file.
pub fn declined(files: &[(String, Vec<Declined>)]) -> Error {
    let error = Error::new(match files {
        [(file, _)] => format!("cannot sign {file}; nothing was written"),
        several => format!("cannot sign {} of the requests; nothing was written", several.len()),
    });
    error.causes(
        files
            .iter()
            .flat_map(|(file, all)| all.iter().map(words).map(move |(why, hint)| (format!("{file}: {why}"), hint))),
    )
}

fn words(declined: &Declined) -> (String, &'static str) {
    match declined {
        Declined::Signature => (
            "its signature does not verify: it was changed, or made with another key".to_owned(),
            "have the request made again",
        ),
        Declined::UnknownSignature(oid) => (
            format!("expected a signature this program can verify, found algorithm {}", signature_name(oid)),
            "have the request signed with SHA-256 or better",
        ),
        Declined::Key(kind) => (format!("expected a key of {EXPECTED}, found {kind}"), "have a stronger key made"),
        Declined::NoSubject => (
            "it has neither a subject nor names, and none were given".to_owned(),
            "give a subject with --subject, or names with --san",
        ),
        Declined::Privileged(name) => (
            format!("its subject has {name}, to which Kubernetes gives rights"),
            "confirm the subject with --subject, or sign it for an entry with --as",
        ),
        Declined::TooManyNames(found) => (
            format!("it has {found} names, and at most {MOST_NAMES} are granted"),
            "give the names with --san instead of --request-names",
        ),
        Declined::BadName(name) => (
            format!("{name:?} is neither a DNS name in lower case nor an address"),
            "give the names with --san instead of --request-names, and the subject with --subject",
        ),
    }
}
