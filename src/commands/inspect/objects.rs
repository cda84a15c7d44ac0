//! One object in DER, by its content.

use super::findings::{Findings, what};
use super::{describe, keys};
use crate::encoding::found::{Found, found};
use crate::encoding::raw_key::{is_rsa_public, rsa_public_to_spki};
use crate::encrypted::pkcs8;
use crate::x509::{Certificate, Crl, Der, Request, key_kind, sniff};

impl Findings<'_> {
    /// DER that is the value of something.
    pub fn der_of(&mut self, bytes: &[u8], owner: &str) {
        if !self.der(bytes, Some(owner)) {
            self.problem(format!(
                "{owner}: expected a certificate, key, CRL or signing request, found {}",
                what(bytes)
            ));
        }
    }

    /// What is no PEM, by its content; `false`: nothing that is known.
    pub fn der(&mut self, bytes: &[u8], owner: Option<&str>) -> bool {
        match sniff(bytes) {
            Some(Der::Certificate) => self.add(Certificate::parse(bytes).map(|c| describe::certificate(&c)), owner),
            Some(Der::Crl) => self.add(Crl::parse(bytes).map(|crl| describe::crl(&crl)), owner),
            Some(Der::Request) => self.add(Request::parse(bytes).map(|request| describe::request(&request)), owner),
            None if key_kind(bytes).is_ok() => self.add(describe::public_key(bytes), owner),
            None if found(bytes) == Some(Found::Backup) => return false,
            None if pkcs8::is_encrypted(bytes) => keys::encrypted(self, bytes, owner),
            None if is_rsa_public(bytes) => {
                self.add(describe::public_key(&rsa_public_to_spki(bytes)), owner);
            }
            None => return keys::plain(self, bytes, None, owner),
        }
        true
    }
}
