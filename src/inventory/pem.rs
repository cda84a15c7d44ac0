//! The certificates and CRLs among the PEM blocks of a text.

use super::item::Kind;
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::contents::Contents;
use crate::encoding::crl::LABEL as CRL;
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::encoding::pem_label::Label;
use crate::x509::{Certificate, Crl};

/// Keys and requests are passed over, undecoded. `leaf`: what an end entity's certificate is called here.
pub fn objects(bytes: &[u8], leaf: Kind) -> Vec<ParsedObject> {
    let mut found: Vec<ParsedObject> = Vec::new();
    for block in blocks(bytes) {
        let position = found.len();
        match block {
            Ok(raw) if raw.is_certificate() => found.push(object(&raw, leaf, position, certificate)),
            Ok(raw) if raw.is(CRL) => found.push(object(&raw, Kind::Crl, position, crl)),
            Ok(_) => {}
            Err(why) if why.is_about(Label::is_certificate) => {
                found.push(ParsedObject::broken(leaf, position, Unreadable::Pem(why)));
            }
            Err(why) if why.is_about(|label| label.is(CRL)) => {
                found.push(ParsedObject::broken(Kind::Crl, position, Unreadable::Pem(why)));
            }
            Err(_) => {}
        }
    }
    found
}

fn object(raw: &Raw<'_>, kind: Kind, position: usize, read: fn(&[u8], Kind, usize) -> ParsedObject) -> ParsedObject {
    match raw.decode() {
        Err(why) => ParsedObject::broken(kind, position, Unreadable::Pem(why)),
        Ok(block) => read(block.certificate().unwrap_or(&block.contents), kind, position),
    }
}

/// A certificate out of its DER.
pub fn certificate(der: &[u8], leaf: Kind, position: usize) -> ParsedObject {
    match Certificate::parse(der) {
        Ok(certificate) => ParsedObject::certificate(leaf, position, certificate),
        Err(why) => ParsedObject::broken(leaf, position, Unreadable::Certificate(why)),
    }
}

/// A CRL out of its DER.
pub fn crl(der: &[u8], kind: Kind, position: usize) -> ParsedObject {
    match Crl::parse(der) {
        Ok(crl) => ParsedObject::crl(position, crl, der.to_vec()),
        Err(why) => ParsedObject::broken(kind, position, Unreadable::Crl(why)),
    }
}

/// [`objects`]; a text without any is one broken object. `field`: of the kubeconfig it is from.
pub fn wanted(bytes: &[u8], kind: Kind, field: Option<&'static str>) -> Vec<ParsedObject> {
    let objects = objects(bytes, kind);
    if objects.is_empty() { vec![unexpected(bytes, kind, "a PEM certificate", field)] } else { objects }
}

/// A broken object: what a text holds in place of what was expected.
pub fn unexpected(bytes: &[u8], kind: Kind, expected: &'static str, field: Option<&'static str>) -> ParsedObject {
    let found = Contents::of(bytes);
    ParsedObject::broken(kind, 0, Unreadable::Unexpected { expected, field, found })
}

/// Whether a text contains another; both are short enough, or the needle rare enough, for a plain search.
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
