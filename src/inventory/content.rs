//! From the bytes of a file to the certificates and CRLs in it, by what it holds and not by what it is called.

use super::Kind;
pub use super::object::ParsedObject;
use super::{kubeconfigs, secret};
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::x509::{Certificate, Crl, Der, sniff};

const CERTIFICATE: &str = "CERTIFICATE";
const CRL: &str = "X509 CRL";

/// What a file is, as far as its beginning tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    Der(Der),
    /// A PEM block begins here: is it a list, is it a private key?
    Pem {
        crl: bool,
        key: bool,
    },
    /// No binary: PEM may follow, or it is YAML or JSON.
    Text,
    Other,
}

pub fn head(bytes: &[u8]) -> Head {
    if bytes.first() == Some(&0x30)
        && let Some(der) = sniff(bytes)
    {
        return Head::Der(der);
    }
    let begins = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).find_map(|line| {
        line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")
    });
    match begins {
        Some(label) => Head::Pem { crl: label == CRL.as_bytes(), key: label.ends_with(b"PRIVATE KEY") },
        None if bytes.contains(&0) => Head::Other,
        None => Head::Text,
    }
}

/// Every certificate and CRL in a file's bytes, in order; a broken one is a object of its own. Empty: nothing of the kind.
/// Files a kubeconfig refers to are not opened here.
pub fn objects(bytes: &[u8]) -> Vec<ParsedObject> {
    match head(bytes) {
        Head::Der(kind) => der(kind, bytes).into_iter().collect(),
        Head::Pem { .. } | Head::Text => {
            let documents = manifest(bytes);
            if documents.is_empty() { pem(bytes, Kind::Certificate) } else { documents }
        }
        Head::Other => Vec::new(),
    }
}

/// A kubeconfig or Secrets, where the text looks like either.
fn manifest(bytes: &[u8]) -> Vec<ParsedObject> {
    if secret::looks_like(bytes) {
        return secret::objects(bytes);
    }
    if kubeconfigs::looks_like(bytes) {
        return kubeconfigs::objects(bytes);
    }
    Vec::new()
}

fn der(kind: Der, bytes: &[u8]) -> Option<ParsedObject> {
    Some(match kind {
        Der::Certificate => match Certificate::parse(bytes) {
            Ok(certificate) => ParsedObject::certificate(Kind::Certificate, 0, certificate),
            Err(why) => ParsedObject::broken(Kind::Certificate, 0, why),
        },
        Der::Crl => match Crl::parse(bytes) {
            Ok(crl) => ParsedObject::crl(0, crl),
            Err(why) => ParsedObject::broken(Kind::Crl, 0, why),
        },
        Der::Request => return None,
    })
}

/// The certificates and CRLs among the blocks of a text; keys and requests are passed over, undecoded.
pub fn pem(bytes: &[u8], leaf: Kind) -> Vec<ParsedObject> {
    let mut found: Vec<ParsedObject> = Vec::new();
    for block in blocks(bytes) {
        let position = found.len();
        match block {
            Ok(raw) if raw.is(CERTIFICATE) => found.push(certificate(&raw, leaf, position)),
            Ok(raw) if raw.is(CRL) => found.push(list(&raw, position)),
            Ok(_) => {}
            Err(why) if why.label() == CERTIFICATE => found.push(ParsedObject::broken(leaf, position, why)),
            Err(why) if why.label() == CRL => found.push(ParsedObject::broken(Kind::Crl, position, why)),
            Err(_) => {}
        }
    }
    found
}

fn certificate(raw: &Raw<'_>, leaf: Kind, position: usize) -> ParsedObject {
    match raw.decode() {
        Err(why) => ParsedObject::broken(leaf, position, why),
        Ok(block) => match Certificate::parse(&block.contents) {
            Ok(certificate) => ParsedObject::certificate(leaf, position, certificate),
            Err(why) => ParsedObject::broken(leaf, position, why),
        },
    }
}

fn list(raw: &Raw<'_>, position: usize) -> ParsedObject {
    match raw.decode() {
        Err(why) => ParsedObject::broken(Kind::Crl, position, why),
        Ok(block) => match Crl::parse(&block.contents) {
            Ok(crl) => ParsedObject::crl(position, crl),
            Err(why) => ParsedObject::broken(Kind::Crl, position, why),
        },
    }
}

/// What a file holds that should have held a certificate, for the message.
pub fn instead(bytes: &[u8]) -> String {
    let labels: Vec<String> = blocks(bytes).take(3).flatten().map(|raw| raw.label().into_owned()).collect();
    match labels.as_slice() {
        [] if bytes.is_empty() => "an empty file".to_owned(),
        [] => "nothing of the kind".to_owned(),
        labels => labels.join(", "),
    }
}

/// Whether one text stands in another; both are short enough, or the needle rare enough, for a plain search.
pub fn mentions(text: &[u8], needle: &str) -> bool {
    let Some(first) = needle.as_bytes().first() else { return true };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        rest = rest.get(at..).unwrap_or_default();
        if rest.starts_with(needle.as_bytes()) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}
