//! A certificate as facts. x509-parser is permissive where the world is sloppy (serial 0, v1, BER booleans in critical
//! flags), which old trees need; where sloppiness would let two readers see two certificates, it is refused here.

use std::fmt;

use time::OffsetDateTime;
use x509_parser::certificate::{TbsCertificate, X509CertificateParser};
use x509_parser::nom::Parser as _;

use crate::blueprint::{ExtendedKeyUsage, KeyUsage, Name, Oid, San};
use crate::encoding::certificate::signed_parts;
use crate::encoding::extension::Extension;
use crate::encoding::public_key::KeyKind;
use crate::encoding::tlv::{self, NotDer};
use crate::encoding::{name, oid};
use crate::x509::extension::Extensions;
use crate::x509::key::{key_kind, sha256};
use crate::x509::parse_error::{LIMIT, ParseError};
pub use crate::x509::text::hex;
use crate::x509::time::utc;

/// What a certificate says (RFC 5280 section 4.1 and 4.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    pub der: Vec<u8>,
    /// 1, 2 or 3.
    pub version: u32,
    /// The content octets of the INTEGER, as they stand; old kubeadm wrote 0 for its authorities.
    pub serial: Vec<u8>,
    pub issuer: Name,
    pub issuer_der: Vec<u8>,
    pub subject: Name,
    pub subject_der: Vec<u8>,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub key: KeyKind,
    pub spki_der: Vec<u8>,
    /// The object identifier of the signature's algorithm; [`Certificate::signature_name`] for people.
    pub signature_algorithm: Oid,
    /// basicConstraints stands in the certificate at all.
    pub basic_constraints: bool,
    pub is_ca: bool,
    pub path_len: Option<u32>,
    pub key_usage: Option<KeyUsage>,
    pub extended_key_usages: Vec<ExtendedKeyUsage>,
    pub sans: Vec<San>,
    pub subject_key_id: Option<Vec<u8>>,
    pub authority_key_id: Option<Vec<u8>>,
    /// The value of nameConstraints, as it stands.
    pub name_constraints: Option<Vec<u8>>,
    /// Every extension in order, with its critical flag.
    pub extensions: Vec<(Oid, bool)>,
    /// Unknown critical extensions: RFC 5280 section 4.2 has a verifier refuse such a certificate.
    pub unknown_critical: Vec<Oid>,
    /// SHA-256 over the whole.
    pub fingerprint: [u8; 32],
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, self.serial_hex())
    }
}

impl Certificate {
    pub fn parse(der: &[u8]) -> Result<Self, ParseError> {
        if der.len() > LIMIT {
            return Err(ParseError::TooLarge { found: der.len() });
        }
        let parts = signed_parts(der).map_err(|NotDer| ParseError::not_one(der))?;
        let mut parser = X509CertificateParser::new().with_deep_parse_extensions(false);
        let (rest, parsed) = parser.parse(der).map_err(|why| ParseError::in_part(der, &why))?;
        let tbs = &parsed.tbs_certificate;
        // The parser ends the signed part after the last field it knows: then something follows that it did not look at.
        if !rest.is_empty() || tbs.as_ref() != parts.signed {
            return Err(ParseError::Malformed);
        }
        // Byte by byte: the parser's own comparison overlooks the headers of the parameters.
        let fields = tlv::children(parts.signed, tlv::SEQUENCE).map_err(|NotDer| ParseError::Malformed)?;
        let versioned = fields.first().is_some_and(|field| field.tag == tlv::CONTEXT_CONSTRUCTED);
        if fields.get(usize::from(versioned) + 1).map(|inner| inner.raw) != Some(parts.algorithm) {
            return Err(ParseError::SignatureAlgorithm);
        }
        let extensions = fields.iter().find(|field| field.tag == tlv::CONTEXT_CONSTRUCTED | 3);
        let extensions = extensions.map(|list| Extensions::read(list.content)).transpose()?.unwrap_or_default();
        Self::from_tbs(der, tbs, extensions)
    }

    fn from_tbs(der: &[u8], tbs: &TbsCertificate<'_>, extensions: Extensions) -> Result<Self, ParseError> {
        let serial = tbs.raw_serial();
        if serial.is_empty() || serial.len() > 64 {
            return Err(ParseError::Serial);
        }
        Ok(Self {
            der: der.to_vec(),
            version: tbs.version.0.saturating_add(1),
            serial: serial.to_vec(),
            issuer: name::read(tbs.issuer.as_raw()).map_err(|NotDer| ParseError::Issuer)?,
            issuer_der: tbs.issuer.as_raw().to_vec(),
            subject: name::read(tbs.subject.as_raw()).map_err(|NotDer| ParseError::Subject)?,
            subject_der: tbs.subject.as_raw().to_vec(),
            not_before: utc(tbs.validity.not_before.to_datetime()),
            not_after: utc(tbs.validity.not_after.to_datetime()),
            key: key_kind(tbs.subject_pki.raw).map_err(|NotDer| ParseError::PublicKey)?,
            spki_der: tbs.subject_pki.raw.to_vec(),
            signature_algorithm: oid::read(tbs.signature.algorithm.as_bytes()).ok_or(ParseError::SignatureAlgorithm)?,
            basic_constraints: extensions.basic_constraints,
            is_ca: extensions.is_ca,
            path_len: extensions.path_len,
            key_usage: extensions.key_usage,
            extended_key_usages: extensions.extended_key_usages,
            sans: extensions.sans,
            subject_key_id: extensions.subject_key_id,
            authority_key_id: extensions.authority_key_id,
            name_constraints: extensions.name_constraints,
            extensions: extensions.order,
            unknown_critical: extensions.unknown_critical,
            fingerprint: sha256(der),
        })
    }

    /// The value of an extension, as it stands, for those that are not kept as facts.
    pub fn extension_value(&self, id: &Oid) -> Option<Vec<u8>> {
        self.extensions.iter().find(|(stated, _)| stated == id)?;
        let parts = signed_parts(&self.der).ok()?;
        let fields = tlv::children(parts.signed, tlv::SEQUENCE).ok()?;
        let list = fields.into_iter().find(|field| field.tag == tlv::CONTEXT_CONSTRUCTED | 3)?;
        let extensions = tlv::children(list.content, tlv::SEQUENCE).ok()?;
        let mut read = extensions.into_iter().filter_map(|one| Extension::read(one).ok());
        read.find(|one| oid::read(one.id).as_ref() == Some(id)).map(|one| one.value.to_vec())
    }

    /// The same name and the same key: whatever the one signed, the other verifies. An authority that was renewed is still itself.
    pub fn is_same_authority(&self, other: &Self) -> bool {
        self.subject_der == other.subject_der && self.spki_der == other.spki_der
    }

    /// What a renewal with the same key keeps, as it stands: subject, public key and all that follows them.
    pub fn kept_in_renewal(&self) -> Option<&[u8]> {
        let signed = signed_parts(&self.der).ok()?.signed;
        let fields = tlv::children(signed, tlv::SEQUENCE).ok()?;
        let versioned = fields.first().is_some_and(|field| field.tag == tlv::CONTEXT_CONSTRUCTED);
        let kept: usize = fields.iter().skip(usize::from(versioned) + 4).map(|field| field.raw.len()).sum();
        signed.get(signed.len().checked_sub(kept)?..)
    }

    /// The authority key identifier has the issuer's serial number (RFC 5280 section 4.2.1.1): OpenSSL and Java then refuse any other
    /// certificate of the same authority.
    pub fn names_serial_of_issuer(&self) -> bool {
        let id = Oid::new("2.5.29.35");
        let value = self.extension_value(&id).unwrap_or_default();
        let fields = tlv::children(&value, tlv::SEQUENCE).unwrap_or_default();
        fields.iter().any(|field| field.tag == tlv::CONTEXT | 2)
    }

    /// RFC 5280 section 4.1.2.2.
    pub fn has_positive_serial(&self) -> bool {
        self.serial.first().is_some_and(|first| first & 0x80 == 0) && self.serial.iter().any(|octet| *octet != 0)
    }

    /// As `openssl x509 -serial` prints it: hexadecimal capitals, whole octets.
    pub fn serial_hex(&self) -> String {
        hex(self.serial.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(&self.serial), "")
    }

    /// As `openssl x509 -fingerprint -sha256` prints it.
    pub fn fingerprint_hex(&self) -> String {
        hex(&self.fingerprint, ":")
    }

    /// The usual name of [`Self::signature_algorithm`], or its dotted decimal.
    pub fn signature_name(&self) -> &str {
        signature_name(&self.signature_algorithm)
    }

    /// Issuer and subject are the same name; whether the signature agrees is for [`Self::signed_by`] to say.
    pub fn is_self_issued(&self) -> bool {
        self.issuer_der == self.subject_der
    }

    pub fn is_valid_at(&self, at: OffsetDateTime) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// May sign certificates: cA is set, and keyUsage says keyCertSign where it stands (RFC 5280 section 4.2.1.3).
    pub fn may_sign_certificates(&self) -> bool {
        self.is_ca && self.key_usage.is_none_or(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN))
    }

    /// The first CN of the subject, the name people call a certificate by.
    pub fn common_name(&self) -> Option<String> {
        self.subject.common_name()
    }

    /// What `kubeadm join --discovery-token-ca-cert-hash` takes for this authority: `sha256:` and the SHA-256 of its
    /// SubjectPublicKeyInfo in lower case.
    pub fn discovery_hash(&self) -> String {
        format!("sha256:{}", hex(&sha256(&self.spki_der), "").to_lowercase())
    }

    pub fn to_pem(&self) -> String {
        crate::encoding::certificate::to_pem(&self.der)
    }

    /// The public key as it stands under the signature: equal keys have equal bytes, `None` when it is broken.
    pub fn public_bits(&self) -> Option<&[u8]> {
        let parts = tlv::children(&self.spki_der, tlv::SEQUENCE).ok()?;
        parts.get(1).and_then(|bits| tlv::octets(*bits).ok())
    }
}

/// The usual name of a signature's algorithm, or its dotted decimal.
pub fn signature_name(oid: &Oid) -> &str {
    let oid: &str = &oid.0;
    SIGNATURES.iter().find(|(known, _)| *known == oid).map_or(oid, |(_, name)| name)
}

const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "rsassaPss"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.3.101.112", "Ed25519"),
];

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
