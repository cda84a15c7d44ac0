//! One certificate or CRL in DER.

use super::item::Kind;
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::x509::{Certificate, Crl};

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
