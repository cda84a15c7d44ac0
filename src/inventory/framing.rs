//! PEM, DER or neither, and the certificates and CRLs in it.

use super::item::Kind;
use super::object::ParsedObject;
use super::{containers, der, pem};
use crate::encoding::crl::LABEL as CRL;
use crate::encoding::found::{Found, found};
use crate::encrypted::Password;
use crate::x509::{Der, sniff};

/// What a file is, judged by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    Der(Der),
    /// PKCS#7, PKCS#12, a Java KeyStore.
    Container,
    /// A PEM block begins here: is it a CRL, is it a private key?
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
    if matches!(found(bytes), Some(Found::Pkcs7 | Found::Pkcs12 | Found::Jks | Found::Jceks)) {
        return Head::Container;
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

/// What is there as PEM or DER. `leaf`: what an end entity's certificate is called here.
pub fn by_framing(bytes: &[u8], leaf: Kind, password: Option<&Password>) -> Vec<ParsedObject> {
    match head(bytes) {
        Head::Der(Der::Certificate) => vec![der::certificate(bytes, leaf, 0)],
        Head::Der(Der::Crl) => vec![der::crl(bytes, Kind::Crl, 0)],
        Head::Container => containers::objects(bytes, leaf, password),
        Head::Der(Der::Request) | Head::Other => Vec::new(),
        Head::Pem { .. } | Head::Text => pem::objects(bytes, leaf),
    }
}
