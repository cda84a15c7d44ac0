//! Certificates and CRLs, reduced to what the checks and reports need.

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid, San};
use crate::catalog::CaId;
use crate::revocation::Revoked;
use crate::x509::{Certificate, Crl, decimal, is_signature_of, same_name_der};

/// What the checks and reports need of a certificate; the DER is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// As `blueprint::Name` prints it.
    pub subject: String,
    pub issuer: String,
    /// Attributes by short name for metrics: (C, ST, L, O, OU, CN), first value each, of subject and issuer.
    pub subject_attributes: Attributes,
    pub issuer_attributes: Attributes,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    pub is_ca: bool,
    /// Lower-case hexadecimal, as `Certificate::serial_hex`; and decimal for metrics.
    pub serial: String,
    pub serial_decimal: String,
    pub algorithm: String,
    pub fingerprint: [u8; 32],
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// The end of the authority that signed it, where the tree has it.
    pub issuer_not_after: Option<OffsetDateTime>,
    /// The tree's own authority, which has to have signed it, did not.
    pub wrong_issuer: bool,
    /// Of a kubeconfig: its CA data lacks certificates of ca.crt; of ca-signer.crt: it is not the first of them alone;
    /// of an authority: the cluster directory has another.
    pub differs_from_ca: bool,
    /// Of an authority: whose file has a certificate of the same key, or of one that signed the other.
    pub shared_with: Option<CaId>,
    /// The kubelet rotates it in its own file, and kubelet.conf has another.
    pub kubelet_embeds_another: bool,
    /// The key beside it, or in the same kubeconfig, is another's.
    pub other_key: bool,
    /// Its entry on the CRL beside its authority: a CRL the authority signed, stale or not.
    pub revoked: Option<Box<Revoked>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub c: String,
    pub st: String,
    pub l: String,
    pub o: String,
    pub ou: String,
    pub cn: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlFacts {
    pub issuer: String,
    pub issuer_attributes: Attributes,
    /// crlNumber in decimal (RFC 5280 section 5.2.3), if it has one.
    pub number: Option<String>,
    pub this_update: OffsetDateTime,
    /// Its end; a CRL without nextUpdate never goes stale.
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
}

/// What ties a certificate to the one that signed it, kept until its tree has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerLink {
    /// Content octets.
    pub(super) serial: Vec<u8>,
    subject: Vec<u8>,
    /// SubjectPublicKeyInfo.
    public_key: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    subject_key: Option<Vec<u8>>,
    authority_key: Option<Vec<u8>>,
    is_ca: bool,
    not_after: OffsetDateTime,
    /// The DER and the signature's algorithm, of one that does not say which key signed it.
    unnamed: Option<(Vec<u8>, Oid)>,
}

impl IssuerLink {
    pub(super) fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Who trusts the one for what it is not meant for trusts the other, too: one key, or the one signed the other.
    pub(super) fn is_one_with(&self, other: &Self) -> bool {
        let above = |one: &Self, other: &Self| !other.is_root() && one.signed(other);
        self.public_key == other.public_key || above(self, other) || above(other, self)
    }

    /// Self-issued: subject and issuer are the same name.
    pub(super) fn is_root(&self) -> bool {
        self.subject == self.issuer
    }

    /// Another certificate names this one as its issuer, in whatever capitals and spaces.
    pub(super) fn is_named_by(&self, other: &Self) -> bool {
        same_name_der(&self.subject, &other.issuer)
    }

    /// By names, byte by byte as Go compares them, and key identifiers (RFC 5280 sections 4.2.1.1 and 4.2.1.2); where there is no authority key identifier, the
    /// signature decides.
    pub(super) fn signed(&self, other: &Self) -> bool {
        let keys = match (&self.subject_key, &other.authority_key) {
            (Some(own), Some(wanted)) => own == wanted,
            _ => other.unnamed.as_ref().is_none_or(|(der, signature)| {
                self.subject != other.issuer || is_signature_of(der, signature, &self.public_key) != Some(false)
            }),
        };
        self.is_ca && self.subject == other.issuer && keys
    }
}

/// Whether a path leads from a certificate to one of the authorities.
pub fn leads_to(leaf: &IssuerLink, intermediates: &[&IssuerLink], authorities: &[IssuerLink]) -> bool {
    let mut current = leaf;
    // Each step leads to another intermediate, or a loop is left.
    for _ in 0..=intermediates.len() {
        if authorities.iter().any(|authority| authority.signed(current)) {
            return true;
        }
        let Some(above) = intermediates.iter().find(|above| !above.is_root() && above.signed(current)) else { break };
        current = above;
    }
    false
}

/// How many authorities of one name are looked at: enough for every rotation, and a bundle of thousands takes no longer.
const OF_ONE_NAME: usize = 16;

/// The authorities of a tree, by name.
#[derive(Debug, Default)]
pub struct Authorities<'a> {
    by_name: std::collections::BTreeMap<&'a [u8], Vec<&'a IssuerLink>>,
}

impl<'a> Authorities<'a> {
    pub fn of(links: impl Iterator<Item = &'a IssuerLink>) -> Self {
        let mut found = Self::default();
        for link in links.filter(|link| link.is_ca) {
            let list = found.by_name.entry(&link.subject).or_default();
            if list.len() < OF_ONE_NAME && !list.contains(&link) {
                list.push(link);
            }
        }
        found
    }

    /// The end of the one that signed this; of several that could have, the latest. `None`: not here, or itself.
    pub fn end_for(&self, link: &IssuerLink) -> Option<OffsetDateTime> {
        if link.is_root() {
            return None;
        }
        let candidates = self.by_name.get(link.issuer.as_slice())?;
        candidates.iter().filter(|authority| authority.signed(link)).map(|authority| authority.not_after).max()
    }
}

pub fn certificate(certificate: Certificate) -> (CertificateFacts, IssuerLink) {
    let mut serial = certificate.serial_hex();
    serial.make_ascii_lowercase();
    let facts = CertificateFacts {
        subject: certificate.subject.to_string(),
        issuer: certificate.issuer.to_string(),
        subject_attributes: attributes(&certificate.subject),
        issuer_attributes: attributes(&certificate.issuer),
        sans: certificate.sans.iter().map(San::to_string).collect(),
        usages: certificate.extended_key_usages.iter().map(|usage| usage.name().to_owned()).collect(),
        is_ca: certificate.is_ca,
        serial,
        serial_decimal: decimal(&certificate.serial),
        algorithm: certificate.key.to_string(),
        fingerprint: certificate.fingerprint,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        issuer_not_after: None,
        wrong_issuer: false,
        differs_from_ca: false,
        shared_with: None,
        kubelet_embeds_another: false,
        other_key: false,
        revoked: None,
    };
    // A root's own signature says nothing, and the roots of a bundle may be many.
    let is_unnamed = certificate.authority_key_id.is_none() && certificate.subject_der != certificate.issuer_der;
    let link = IssuerLink {
        unnamed: is_unnamed.then_some((certificate.der, certificate.signature_algorithm)),
        serial: certificate.serial,
        subject: certificate.subject_der,
        public_key: certificate.spki_der,
        issuer: certificate.issuer_der,
        subject_key: certificate.subject_key_id,
        authority_key: certificate.authority_key_id,
        is_ca: certificate.is_ca,
        not_after: certificate.not_after,
    };
    (facts, link)
}

pub fn crl(crl: Crl) -> CrlFacts {
    CrlFacts {
        issuer: crl.issuer.to_string(),
        issuer_attributes: attributes(&crl.issuer),
        number: crl.number.as_deref().map(decimal),
        this_update: crl.this_update,
        next_update: crl.next_update,
        entries: crl.entries,
    }
}

/// The first value of each.
fn attributes(name: &Name) -> Attributes {
    let mut attributes = Attributes::default();
    for attribute in name.0.iter().flatten() {
        let slot = match &attribute.oid {
            oid if *oid == Oid::COMMON_NAME => &mut attributes.cn,
            oid if *oid == Oid::ORGANIZATION => &mut attributes.o,
            oid if *oid == Oid::ORGANIZATIONAL_UNIT => &mut attributes.ou,
            oid if *oid == Oid::COUNTRY => &mut attributes.c,
            oid if *oid == Oid::STATE => &mut attributes.st,
            oid if *oid == Oid::LOCALITY => &mut attributes.l,
            _ => continue,
        };
        if slot.is_empty() {
            *slot = attribute.text().into_owned();
        }
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::parse_pem_bundle;

    #[test]
    fn without_a_key_identifier_the_signature_decides() {
        let read = |path: &str, strip: bool| {
            let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/kubeadm");
            #[allow(clippy::disallowed_methods)] // fixtures
            let certificate = parse_pem_bundle(&std::fs::read(root.join(path)).unwrap()).unwrap().remove(0);
            let id = certificate.authority_key_id.clone().filter(|_| !strip);
            super::certificate(Certificate { authority_key_id: id, ..certificate }).1
        };
        let trees = ["v1.36-default-rsa2048", "v1.20-rsa2048", "v1.36-dualstack-p384"];
        for own in trees {
            for other in trees {
                let ca = read(&format!("{own}/etc-kubernetes/pki/ca.crt"), false);
                let leaf = read(&format!("{other}/etc-kubernetes/pki/apiserver.crt"), true);
                assert!(leaf.unnamed.is_some() && ca.is_named_by(&leaf));
                assert_eq!(ca.signed(&leaf), own == other, "{own} {other}");
            }
        }
    }
}
