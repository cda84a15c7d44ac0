//! Certificates and CRLs in PKCS#7, PKCS#12 and Java's keystores.

use super::der;
use super::item::Kind;
use super::object::ParsedObject;
use super::unreadable::Unreadable;
use crate::encoding::pkcs7;
use crate::encoding::shown::named;
use crate::encoding::sniff::{Der, sniff};
use crate::encrypted::pkcs12::Content;
use crate::encrypted::{EncryptionError, Password, Store};

/// Everything in the file that has an end. Without a password, PKCS#12 is tried with the empty one.
pub fn objects(bytes: &[u8], leaf: Kind, password: Option<&Password>) -> Vec<ParsedObject> {
    let Some(store) = Store::of(bytes) else { return of_pkcs7(bytes, leaf) };
    let opened = match store.open(bytes, password.map(Password::as_str)) {
        Ok(opened) => opened,
        Err(EncryptionError::WrongPassword) if password.is_none() => {
            return vec![ParsedObject::broken(leaf, 0, Unreadable::NoPassword(store.name()))];
        }
        Err(why) => return vec![ParsedObject::broken(leaf, 0, Unreadable::Locked { what: store.name(), why })],
    };
    let mut found: Vec<ParsedObject> = Vec::new();
    for bag in &opened.bags {
        let name = bag.friendly_name.as_deref().map(named);
        let position = found.iter().filter(|other| other.within == name).count();
        let object = match &bag.content {
            Content::Certificate(bytes) => der::certificate(bytes, leaf, position),
            Content::Crl(bytes) => der::crl(bytes, Kind::Crl, position),
            Content::Key(_) | Content::Locked => continue,
        };
        found.push(ParsedObject { within: name, ..object });
    }
    found
}

/// The content of a PEM block, too.
pub fn of_pkcs7(bytes: &[u8], leaf: Kind) -> Vec<ParsedObject> {
    match pkcs7::read(bytes) {
        Ok(signed) => signed
            .certificates
            .iter()
            .chain(&signed.crls)
            .enumerate()
            .map(|(position, bytes)| match sniff(bytes) {
                Some(Der::Crl) => der::crl(bytes, Kind::Crl, position),
                _ => der::certificate(bytes, leaf, position),
            })
            .collect(),
        Err(why) => vec![ParsedObject::broken(leaf, 0, Unreadable::Pkcs7(why))],
    }
}
