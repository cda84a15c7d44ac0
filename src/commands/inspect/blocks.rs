//! A text's PEM blocks, each by its label.

use super::findings::{Findings, what};
use super::{containers, describe, keys};
use crate::encoding::pem::PemError;
use crate::encoding::pem_blocks::{Raw, blocks};
use crate::encoding::raw_key::rsa_public_to_spki;
use crate::encoding::ssh;
use crate::x509::{Certificate, Crl, Request};

impl Findings<'_> {
    /// Every block; `owner` is the object that contains the text.
    pub fn pem(&mut self, bytes: &[u8], owner: Option<&str>) {
        for block in blocks(bytes) {
            match block {
                Ok(raw) => self.block(&raw, owner),
                Err(why) => self.add::<PemError>(Err(why), owner),
            }
        }
    }

    pub fn block(&mut self, raw: &Raw<'_>, owner: Option<&str>) {
        let label = raw.label();
        let block = match raw.decode() {
            Ok(block) => block,
            Err(why) => return self.add::<PemError>(Err(why), owner),
        };
        let der = block.certificate().unwrap_or(&block.contents);
        match label.known().unwrap_or_default() {
            _ if label.is_certificate() => self.add(Certificate::parse(der).map(|c| describe::certificate(&c)), owner),
            _ if label.is_pkcs7() => containers::pkcs7(self, der, owner),
            "X509 CRL" => self.add(Crl::parse(der).map(|crl| describe::crl(&crl)), owner),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                self.add(Request::parse(der).map(|request| describe::request(&request)), owner);
            }
            "PUBLIC KEY" => self.add(describe::public_key(der), owner),
            "RSA PUBLIC KEY" => self.add(describe::public_key(&rsa_public_to_spki(der)), owner),
            // OpenSSL writes the curve before the key, which has it too.
            "EC PARAMETERS" => {}
            ssh::LABEL => keys::openssh(self, der, owner),
            "ENCRYPTED PRIVATE KEY" => keys::encrypted(self, der, owner),
            _ if raw.is_private_key() && block.encrypted => keys::old_pem(self, &block, owner),
            known if raw.is_private_key() && !known.is_empty() => {
                if !keys::plain(self, der, Some(known), owner) {
                    self.add::<String>(Err(format!("{known}: expected a well-formed key, found {}", what(der))), owner);
                }
            }
            _ => {
                self.add::<String>(Err(format!("a PEM block of another kind: {label}{}", taker(label.known()))), owner)
            }
        }
    }
}

/// What takes the blocks that are not read here.
const TAKERS: &[(&str, &str)] = &[
    ("EC PARAMETERS", "openssl ecparam -in FILE -text shows them"),
    ("DH PARAMETERS", "openssl dhparam -in FILE -text shows them"),
    ("X9.42 DH PARAMETERS", "openssl pkeyparam -in FILE -text shows them"),
    ("DSA PARAMETERS", "openssl dsaparam -in FILE -text shows them"),
    ("SSL SESSION PARAMETERS", "openssl sess_id -in FILE -text shows them"),
    ("PGP PUBLIC KEY BLOCK", "gpg --show-keys FILE shows it"),
    ("PGP PRIVATE KEY BLOCK", "gpg --show-keys FILE shows it"),
    ("PGP MESSAGE", "gpg --decrypt FILE opens it"),
    ("AGE ENCRYPTED FILE", "age --decrypt FILE opens it"),
    ("ATTRIBUTE CERTIFICATE", "openssl asn1parse -in FILE shows it"),
];

/// What a file has of which nothing is shown: blocks that only go with another.
pub fn alone(bytes: &[u8]) -> Option<String> {
    let label = blocks(bytes).flatten().next()?.label();
    Some(format!("{label}{}", taker(label.known())))
}

fn taker(label: Option<&str>) -> String {
    let taker = TAKERS.iter().find(|(known, _)| Some(*known) == label);
    taker.map_or_else(String::new, |(_, taker)| format!(" ({taker})"))
}
