//! What a request is refused, in words.

use super::failure::Error;
use crate::encoding::public_key::EXPECTED;
use crate::plan::sign::{Declined, DeniedAttribute, MOST_NAMES};
use crate::x509::certificate::signature_name;

/// What it asked for and does not get.
pub fn denied_attribute(wish: &DeniedAttribute) -> String {
    match wish {
        DeniedAttribute::Authority => "to be an authority (--ca makes one)".to_owned(),
        DeniedAttribute::Subject(subject) => format!("the subject {subject}"),
        DeniedAttribute::Name(san) => format!("the name {san}"),
        DeniedAttribute::Usage(usage) => format!("the usage {}", usage.name()),
        DeniedAttribute::KeyUsage(name) => format!("the key usage {name}"),
        DeniedAttribute::Extension(oid) => format!("the extension {oid}"),
    }
}

/// Requests that are not signed at all, as one error: each file with what is wrong with it.
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
            "its signature does not verify: it was changed, or made without the key it names".to_owned(),
            "have the request made again",
        ),
        Declined::UnknownSignature(oid) => (
            format!("expected a signature this program can verify, found algorithm {}", signature_name(oid)),
            "have the request signed with SHA-256 or better",
        ),
        Declined::Key(kind) => (format!("expected a key of {EXPECTED}, found {kind}"), "have a stronger key made"),
        Declined::NoSubject => (
            "it has neither a subject nor names, and none were stated".to_owned(),
            "state a subject with --subject, or names with --san",
        ),
        Declined::Privileged(name) => (
            format!("its subject says {name}, which Kubernetes gives rights to"),
            "state the subject with --subject if that is meant, or sign it --as the entry it is for",
        ),
        Declined::TooManyNames(found) => (
            format!("it asks for {found} names, and at most {MOST_NAMES} are granted"),
            "state the names with --san in place of --request-names",
        ),
        Declined::BadName(name) => (
            format!("{name:?} is neither a DNS name in lower case nor an address"),
            "state the names with --san in place of --request-names, and the subject with --subject",
        ),
    }
}
