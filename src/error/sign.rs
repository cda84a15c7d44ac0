//! Messages: what is refused in a signing request.

use super::failure::Error;
use crate::blueprint::ExtendedKeyUsage;
use crate::encoding::public_key::EXPECTED;
use crate::encoding::shown::{named, shown};
use crate::files::shell_word;
use crate::plan::csr_manifest::Contradiction;
use crate::plan::names_policy::Meaning;
use crate::plan::sign::{Declined, DeniedAttribute, Grants, KnownKey, MOST_NAMES};
use crate::plan::subject::Flaw;
use crate::x509::certificate::signature_name;

/// A requested attribute that is denied.
pub fn denied_attribute(wish: &DeniedAttribute) -> String {
    match wish {
        DeniedAttribute::Authority => "a CA certificate (--intermediate makes one)".to_owned(),
        DeniedAttribute::Subject(subject) => format!("the subject {}", within(&subject.to_string())),
        DeniedAttribute::Name(san) => format!("the name {}", named(&san.to_string())),
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

/// A name and what it means below its authority.
pub fn meaning(one: &Meaning) -> String {
    format!("the {} {:?}, signed by {}: {}", one.field.name(), named(&one.value), one.authority.name(), one.means)
}

/// Why it is not signed, and the next step.
pub fn words(declined: &Declined) -> (String, String) {
    let (why, hint) = match declined {
        Declined::Means(one, grants) => return (meaning(one), grant(grants)),
        Declined::Signature => (
            "its signature does not verify: it was changed, or made with another key".to_owned(),
            "have the request made again",
        ),
        Declined::UnknownSignature(oid) => (
            format!("expected a signature this program can verify, found algorithm {}", signature_name(oid)),
            "have the request signed with ECDSA, or with RSA (PKCS #1 v1.5) and SHA-256 or better",
        ),
        Declined::Key(kind) => (
            format!("expected a key of {EXPECTED}, found {kind}"),
            "have the request made with a key of one of these kinds",
        ),
        Declined::NoSubject => (
            "it has neither a subject nor names, and none were given".to_owned(),
            "give a subject with --subject, or names with --san",
        ),
        Declined::Exponent(exponent) => (
            format!("expected an odd public exponent of more than 65536 (FIPS 186-5), found {exponent}"),
            "have a new key made, with the exponent 65537",
        ),
        Declined::KnownKey(KnownKey::Authority(name)) => {
            (format!("its key is that of the authority {name}"), "have the request made with a key of its own")
        }
        Declined::KnownKey(KnownKey::Compromised { serial, reason }) => (
            format!("its key is that of the certificate {serial}, revoked for {reason}: others may have it"),
            "have a new key made",
        ),
        Declined::BadValue(Flaw { kind, value, expected }) => (
            format!("expected {expected} in {kind} of its subject (RFC 5280), found {}", cited(value)),
            "give the subject with --subject, or have the request made again",
        ),
        Declined::TooManyNames(found) => (
            format!("it has {found} names, and at most {MOST_NAMES} are granted"),
            "give the names with --san instead of --request-names",
        ),
        Declined::Asked(one) => return contradiction(one),
        Declined::BadName(name) => (
            format!("{} is neither a DNS name in lower case nor an address", cited(name)),
            "give the names with --san instead of --request-names",
        ),
    };
    (why, hint.to_owned())
}

/// What the manifest of a request asks for, and what would be signed.
fn contradiction(one: &Contradiction) -> (String, String) {
    const STATE: &str = "state the same usages with --usage or --as, or have the request made again";
    let (why, hint) = match one {
        Contradiction::UnknownUsage(text) => (
            format!("expected a usage of certificates.k8s.io/v1 in spec.usages, found {}", cited(text)),
            STATE.to_owned(),
        ),
        Contradiction::NotGranted(usage) => {
            (format!("its spec.usages ask for {usage:?}, which the certificate would not have"), STATE.to_owned())
        }
        Contradiction::NotAsked(usage) => (
            format!("its spec.usages do not ask for {}, which the certificate would have", usage.name()),
            STATE.to_owned(),
        ),
        Contradiction::Lifetime { asked, signed } => (
            format!("its spec.expirationSeconds ask for {asked} seconds, and it would be signed for {signed}"),
            format!("sign it for as long with --validity {asked}s"),
        ),
        Contradiction::Signer { signer, only } => (
            format!("its signerName is {signer}, which signs {} certificates only", only.name()),
            format!("sign it with {}, or have the request made for another signer", usage_flag(only)),
        ),
        Contradiction::Authority { signer, found } => (
            format!("its signerName is {signer}, which is the cluster's CA, and {} would sign it", found.name()),
            "sign it with --authority ca, or have the request made for another signer".to_owned(),
        ),
        Contradiction::Denied => (
            "it was denied in its cluster (status.conditions)".to_owned(),
            "have a new request made, or sign the request in spec.request by itself".to_owned(),
        ),
    };
    (why, hint)
}

fn usage_flag(usage: &ExtendedKeyUsage) -> &'static str {
    if *usage == ExtendedKeyUsage::ServerAuth { "--usage server" } else { "--usage client" }
}

/// What grants a name that means something.
fn grant(grants: &Grants) -> String {
    match grants {
        // A key in the place of a name is not handed back as a command.
        Grants::Subject(Some(subject)) if within(subject) == *subject => {
            format!("confirm it with --subject {}, or sign it for an entry with --as", shell_word(subject))
        }
        Grants::Subject(_) => "give another subject with --subject, or sign it for an entry with --as".to_owned(),
        Grants::Names(names) => {
            let names = names.to_ascii_lowercase().replace(".,", ",");
            let names = names.trim_end_matches('.');
            format!("confirm what is meant with --san {}, or leave --request-names out", shell_word(names))
        }
    }
}

/// A value in a message: between quotes, or only its length is said.
fn cited(value: &str) -> String {
    if shown(value) == value { format!("{value:?}") } else { shown(value) }
}

/// A subject in a message: each of its parts is a name, or only its length is said.
fn within(subject: &str) -> String {
    subject
        .split(',')
        .map(|part| {
            let (kind, value) = part.split_once('=').unwrap_or(("", part));
            if kind.is_empty() { named(value) } else { format!("{kind}={}", named(value)) }
        })
        .collect::<Vec<_>>()
        .join(",")
}
