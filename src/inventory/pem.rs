//! The certificates and CRLs among the PEM blocks of a text.

use super::containers;
use super::der::{certificate, crl};
use super::item::{Kind, Reading};
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::contents::Contents;
use crate::encoding::crl::LABEL as CRL;
use crate::encoding::pem_blocks::{PemError, Raw, blocks};

/// Keys are passed over, undecoded, and requests. `leaf`: what an end entity's certificate is called here.
pub fn objects(bytes: &[u8], leaf: Kind) -> Vec<ParsedObject> {
    let mut found: Vec<ParsedObject> = Vec::new();
    let mut is_pem = false;
    for block in blocks(bytes) {
        let position = found.len();
        is_pem |= block.is_ok();
        match block {
            Ok(raw) if raw.is_certificate() => found.push(object(&raw, leaf, position, certificate)),
            Ok(raw) if raw.label().is_pkcs7() => match raw.decode() {
                Ok(block) => {
                    let inside = containers::of_pkcs7(&block.contents, leaf).into_iter();
                    found.extend(inside.map(|object| ParsedObject { position: object.position + position, ..object }));
                }
                Err(why) => found.push(ParsedObject::broken(leaf, position, Unreadable::Pem(why))),
            },
            Ok(raw) if raw.is(CRL) => found.push(object(&raw, Kind::Crl, position, crl)),
            Ok(raw) if raw.is_private_key() => {}
            Ok(raw) => {
                if let Err(why @ PemError::OtherLabel { .. }) = raw.decode() {
                    found.push(ParsedObject::broken(leaf, position, Unreadable::Pem(why)));
                }
            }
            Err(why) if why.is_outside() => found.push(ParsedObject::broken(leaf, position, Unreadable::Pem(why))),
            Err(why) if why.is_about(|label| label.is_certificate() || label.is_pkcs7()) => {
                found.push(ParsedObject::broken(leaf, position, Unreadable::Pem(why)));
            }
            Err(why) if why.is_about(|label| label.is(CRL)) => {
                found.push(ParsedObject::broken(Kind::Crl, position, Unreadable::Pem(why)));
            }
            Err(_) => {}
        }
    }
    if !is_pem {
        // A text about PEM; where PEM is expected it is told what was found.
        found.retain(|one| !matches!(&one.reading, Reading::Unreadable(Unreadable::Pem(why)) if why.is_outside()));
    }
    found
}

fn object(raw: &Raw<'_>, kind: Kind, position: usize, read: fn(&[u8], Kind, usize) -> ParsedObject) -> ParsedObject {
    match raw.decode() {
        Err(why) => ParsedObject::broken(kind, position, Unreadable::Pem(why)),
        Ok(block) => read(block.certificate().unwrap_or(&block.contents), kind, position),
    }
}

/// [`objects`]; a text without any is one broken object. `field`: of the kubeconfig it is from.
pub fn wanted(bytes: &[u8], kind: Kind, field: Option<&'static str>) -> Vec<ParsedObject> {
    let objects = objects(bytes, kind);
    if objects.is_empty() { vec![unexpected(bytes, kind, "a PEM certificate", field)] } else { objects }
}

/// A broken object: what a text holds in place of what was expected.
pub fn unexpected(bytes: &[u8], kind: Kind, expected: &'static str, field: Option<&'static str>) -> ParsedObject {
    ParsedObject::broken(kind, 0, Unreadable::Unexpected { expected, field, found: Contents::of(bytes) })
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
