//! What cryptography a cluster depends on: every certificate, key and CRL once, however many files have it. Facts only: no bytes
//! of a key.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::cluster::{Cluster, Content, File, Key, Kubeconfig, Tree};
use super::finding::Place;
use crate::blueprint::Oid;
use crate::encoding::key_public::Half;
use crate::encoding::public_key::{self, KeyKind};
use crate::encoding::tlv;
use crate::tree::EntryId;
use crate::x509::{Certificate, Crl, decimal, sha256};

/// SHA-256 over a certificate or a CRL as it stands, or over the bits of a public key: with a private key that states its
/// public half it is the same.
pub type Digest = [u8; 32];

/// Everything of one cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    pub certificates: BTreeMap<Digest, Found<CertificateFacts>>,
    pub public_keys: BTreeMap<Digest, Found<KeyKind>>,
    /// By the digest of the public half, or of the path where that is not seen.
    pub private_keys: BTreeMap<Digest, Found<PrivateKeyFacts>>,
    pub crls: BTreeMap<Digest, Found<CrlFacts>>,
}

/// One of them, and all places where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    pub facts: T,
    pub places: BTreeSet<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    pub subject: String,
    pub issuer: String,
    pub serial: String,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub is_ca: bool,
    pub signature: Oid,
    /// In [`Inventory::public_keys`]; `None`: the key in it is not well-formed.
    pub public_key: Option<Digest>,
    /// Those in the cluster that signed it: one name and key may have several certificates. Never itself.
    pub issuers: BTreeSet<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateKeyFacts {
    /// `None`: it is not seen, as of an encrypted key.
    pub kind: Option<KeyKind>,
    /// The digest is that of its public half.
    pub states_public: bool,
    pub is_encrypted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlFacts {
    pub issuer: String,
    /// In decimal.
    pub number: Option<String>,
    pub this_update: OffsetDateTime,
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    pub signature: Oid,
    pub issuers: BTreeSet<Digest>,
}

/// Certificates and CRLs as they stand, for the signatures between them.
#[derive(Default)]
struct Signed<'a> {
    certificates: BTreeMap<Digest, &'a Certificate>,
    crls: BTreeMap<Digest, (Crl, &'a [u8])>,
}

/// Everything in the files of a cluster. What cannot be read is not in it: the verification says what that is.
pub fn inventory(cluster: &Cluster<'_>) -> Inventory {
    let mut inventory = Inventory::default();
    let mut signed = Signed::default();
    for tree in &cluster.trees {
        for file in &tree.files {
            inventory.take(tree, file, &mut signed);
        }
    }
    inventory.link(&signed);
    inventory
}

impl Inventory {
    fn take<'a>(&mut self, tree: &Tree, file: &'a File, signed: &mut Signed<'a>) {
        let place = |position| Place {
            path: file.path.clone(),
            entry: Some(EntryId::new(tree.node.as_deref(), &file.entry)),
            position,
        };
        let mut certificates = |inventory: &mut Self, all: &'a [Certificate]| {
            for (position, certificate) in all.iter().enumerate() {
                signed.certificates.insert(certificate.fingerprint, certificate);
                inventory.certificate(certificate, place(Some(position)));
            }
        };
        match &file.content {
            Content::Missing | Content::Broken(_) | Content::Closed(_) | Content::Text(_) => {}
            Content::Certificates { certificates: all, key } => {
                certificates(self, all);
                key.iter().for_each(|key| self.private_key(key, place(None)));
            }
            Content::Kubeconfig(kubeconfig) => {
                let Kubeconfig { authority, certificates: own, key, .. } = kubeconfig.as_ref();
                certificates(self, authority);
                certificates(self, own);
                key.iter().for_each(|key| self.private_key(key, place(None)));
            }
            Content::Key(key) => self.private_key(key, place(None)),
            Content::PublicKeys(keys) => {
                for spki in keys {
                    self.public_key(spki, place(None));
                }
            }
            Content::Crls(crls) => {
                for der in crls {
                    self.crl(der, place(None), signed);
                }
            }
        }
    }

    fn certificate(&mut self, certificate: &Certificate, place: Place) {
        let public_key = self.public_key(&certificate.spki_der, place.clone());
        add(&mut self.certificates, certificate.fingerprint, place, || CertificateFacts {
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: certificate.serial_hex(),
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            is_ca: certificate.is_ca,
            signature: certificate.signature_algorithm.clone(),
            public_key,
            issuers: BTreeSet::new(),
        });
    }

    fn public_key(&mut self, spki: &[u8], place: Place) -> Option<Digest> {
        let key = public_key::read(spki).ok()?;
        let digest = sha256(key.bits);
        add(&mut self.public_keys, digest, place, || key.kind);
        Some(digest)
    }

    fn private_key(&mut self, key: &Key, place: Place) {
        let public = key.public.as_ref().and_then(bits);
        let digest = sha256(public.as_deref().unwrap_or(place.path.as_bytes()));
        add(&mut self.private_keys, digest, place, || PrivateKeyFacts {
            kind: key.kind.clone(),
            states_public: public.is_some(),
            is_encrypted: key.is_encrypted,
        });
    }

    fn crl<'a>(&mut self, der: &'a [u8], place: Place, signed: &mut Signed<'a>) {
        let Ok(crl) = Crl::parse(der) else { return };
        let digest = sha256(der);
        add(&mut self.crls, digest, place, || CrlFacts {
            issuer: crl.issuer.to_string(),
            number: crl.number.as_deref().map(decimal),
            this_update: crl.this_update,
            next_update: crl.next_update,
            entries: crl.entries,
            signature: crl.signature_algorithm.clone(),
            issuers: BTreeSet::new(),
        });
        signed.crls.insert(digest, (crl, der));
    }

    /// Who signed what.
    fn link(&mut self, signed: &Signed<'_>) {
        let of = |is_issuer: &dyn Fn(&Certificate) -> bool| {
            let issuers = signed.certificates.iter().filter(|(_, issuer)| is_issuer(issuer));
            issuers.map(|(digest, _)| *digest).collect::<BTreeSet<Digest>>()
        };
        for (digest, found) in &mut self.certificates {
            if let Some(certificate) = signed.certificates.get(digest) {
                let other = |issuer: &Certificate| issuer.fingerprint != *digest;
                found.facts.issuers = of(&|issuer| other(issuer) && certificate.signed_by(issuer).is_ok());
            }
        }
        for (digest, found) in &mut self.crls {
            if let Some((crl, der)) = signed.crls.get(digest) {
                found.facts.issuers = of(&|issuer| crl.signed_by(der, issuer).is_ok());
            }
        }
    }

    /// This and that of another cluster: what both have is there once, with the places of both.
    pub fn join(&mut self, other: Self) {
        join(&mut self.certificates, other.certificates, |own, theirs| own.issuers.extend(theirs.issuers));
        join(&mut self.public_keys, other.public_keys, |_, _| {});
        join(&mut self.private_keys, other.private_keys, |_, _| {});
        join(&mut self.crls, other.crls, |own, theirs| own.issuers.extend(theirs.issuers));
    }
}

/// The bits of a SubjectPublicKeyInfo, where the half states them.
fn bits(half: &Half) -> Option<Vec<u8>> {
    match half {
        Half::Rsa(numbers) => Some(tlv::write(tlv::SEQUENCE, numbers)),
        Half::Point(point) => Some(point.clone()),
        Half::Other(_) => None,
    }
}

fn add<T>(to: &mut BTreeMap<Digest, Found<T>>, digest: Digest, place: Place, facts: impl FnOnce() -> T) {
    let found = to.entry(digest).or_insert_with(|| Found { facts: facts(), places: BTreeSet::new() });
    found.places.insert(place);
}

fn join<T>(own: &mut BTreeMap<Digest, Found<T>>, other: BTreeMap<Digest, Found<T>>, both: impl Fn(&mut T, T)) {
    for (digest, found) in other {
        match own.get_mut(&digest) {
            Some(known) => {
                known.places.extend(found.places);
                both(&mut known.facts, found.facts);
            }
            None => _ = own.insert(digest, found),
        }
    }
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
