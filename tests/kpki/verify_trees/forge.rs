//! Certificates that no program makes: one that exists, with any of its fields changed, signed again by whom the test says.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use kpki::blueprint::Name;
use kpki::encoding::certificate::time;
use kpki::encoding::extension::{Extension, extension};
use kpki::encoding::key::KeyMaterial;
use kpki::encoding::tlv::{self, CONTEXT_CONSTRUCTED, INTEGER, SEQUENCE};
use kpki::encoding::{certificate, name};
use kpki::x509::{Certificate, key_identifier};
use time::OffsetDateTime;

pub const SKI: &[u8] = &[0x55, 0x1d, 14];
pub const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub const SAN: &[u8] = &[0x55, 0x1d, 17];
pub const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub const AKI: &[u8] = &[0x55, 0x1d, 35];
pub const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
/// id-kp-serverAuth, id-kp-clientAuth and id-kp-codeSigning.
pub const SERVER: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
pub const CLIENT: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];
pub const CODE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
/// ecdsa-with-SHA1.
pub const ECDSA_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

/// A certificate that is being made, in DER but for what is stated.
pub struct Forged {
    /// The content octets of the INTEGER.
    pub serial: Vec<u8>,
    /// The object identifier it claims to be signed with. The signature is P-256 with SHA-256 whatever it says.
    pub algorithm: &'static [u8],
    pub issuer: Vec<u8>,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    /// Object identifier, critical, value.
    pub extensions: Vec<(Vec<u8>, bool, Vec<u8>)>,
}

impl Forged {
    pub fn of(from: &Certificate) -> Self {
        let parts = certificate::signed_parts(&from.der).unwrap();
        let fields = tlv::children(parts.signed, SEQUENCE).unwrap();
        let list = fields.iter().find(|field| field.tag == CONTEXT_CONSTRUCTED | 3);
        let list = list.map(|list| tlv::children(list.content, SEQUENCE).unwrap()).unwrap_or_default();
        let read = |one| Extension::read(one).map(|one| (one.id.to_vec(), one.critical, one.value.to_vec())).unwrap();
        Self {
            serial: from.serial.clone(),
            algorithm: ECDSA_SHA256,
            issuer: from.issuer_der.clone(),
            not_before: from.not_before,
            not_after: from.not_after,
            subject: from.subject_der.clone(),
            spki: from.spki_der.clone(),
            extensions: list.into_iter().map(read).collect(),
        }
    }

    pub fn without(&mut self, id: &[u8]) {
        let before = self.extensions.len();
        self.extensions.retain(|(one, ..)| one != id);
        assert!(self.extensions.len() < before, "there is no such extension");
    }

    /// In its place, or behind the others.
    pub fn set(&mut self, id: &[u8], critical: bool, value: Vec<u8>) {
        match self.extensions.iter_mut().find(|(one, ..)| one == id) {
            Some(there) => *there = (id.to_vec(), critical, value),
            None => self.extensions.push((id.to_vec(), critical, value)),
        }
    }

    pub fn subject(&mut self, common_name: &str, organizations: &[&str]) {
        self.subject = name::write(&Name::of(common_name, organizations)).unwrap();
    }

    pub fn usages(&mut self, usages: &[&[u8]]) {
        let all: Vec<Vec<u8>> = usages.iter().map(|id| tlv::write(tlv::OBJECT_IDENTIFIER, id)).collect();
        self.set(EXTENDED_KEY_USAGE, false, tlv::sequence(&all));
    }

    /// Changes the list of alternative names, each a whole element.
    pub fn names(&mut self, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let old = self.extensions.iter().find(|(id, ..)| id == SAN).map(|(_, _, value)| value.clone());
        let old = old.unwrap_or_else(|| tlv::sequence::<&[u8]>(&[]));
        let mut all = tlv::children(&old, SEQUENCE).unwrap().iter().map(|one| one.raw.to_vec()).collect();
        change(&mut all);
        self.set(SAN, false, tlv::sequence(&all));
    }

    /// For another key, which it then identifies.
    pub fn key(&mut self, spki: &[u8]) {
        self.spki = spki.to_vec();
        if self.extensions.iter().any(|(id, ..)| id == SKI) {
            self.set(SKI, false, tlv::write(tlv::OCTET_STRING, &key_identifier(spki).unwrap()));
        }
    }

    /// Says that this authority signs it.
    pub fn issued_by(&mut self, authority: &Certificate) {
        self.issuer.clone_from(&authority.subject_der);
        if let Some(id) = &authority.subject_key_id {
            self.set(AKI, false, tlv::sequence(&[tlv::write(tlv::CONTEXT, id)]));
        }
    }

    /// Signed with this P-256 key.
    pub fn sign(&self, key_pem: &str) -> Certificate {
        let algorithm = tlv::sequence(&[tlv::write(tlv::OBJECT_IDENTIFIER, self.algorithm)]);
        let extensions: Vec<Vec<u8>> =
            self.extensions.iter().map(|(id, critical, value)| extension(id, *critical, value)).collect();
        let signed = tlv::sequence(&[
            tlv::write(CONTEXT_CONSTRUCTED, &tlv::write(INTEGER, &[2])),
            tlv::write(INTEGER, &self.serial),
            algorithm.clone(),
            self.issuer.clone(),
            tlv::sequence(&[time(self.not_before).unwrap(), time(self.not_after).unwrap()]),
            self.subject.clone(),
            self.spki.clone(),
            tlv::write(CONTEXT_CONSTRUCTED | 3, &tlv::sequence(&extensions)),
        ]);
        let key = KeyMaterial::from_pem(key_pem.as_bytes()).unwrap();
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, key.der()).unwrap();
        let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
        let der = tlv::sequence(&[signed, algorithm, tlv::bit_string(signature.as_ref())]);
        Certificate::parse(&der).unwrap()
    }
}
