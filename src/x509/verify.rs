//! One signature at a time, by ring. SHA-1, and RSA below 2048 bits, are not verified: kpki hands out neither, and what
//! kubeadm ever wrote has neither. DSA, with SHA-1 too, where nothing but RFC 5280 is asked.

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::blueprint::{Algorithm, Name, Oid};
use crate::encoding::certificate::{SignedParts, signed_parts};
use crate::encoding::public_key::{self, KeyKind, OtherKey};
use crate::encoding::tlv::NotDer;
use crate::x509::certificate::Certificate;
use crate::x509::crl::Crl;
use crate::x509::dsa;
use crate::x509::key::key_kind;
use crate::x509::names::same_name;
use crate::x509::text::hex;

/// Why a certificate was not signed by another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// RFC 5280 section 6.1.3 (a)(4), compared byte by byte as most verifiers do.
    #[error("expected the issuer `{wanted}`, found `{found}`")]
    Name { wanted: Name, found: Name },
    /// Both identifiers are there and differ (RFC 5280 section 4.2.1.1).
    #[error(
        "expected the authority key identifier {}, found {}",
        hex(.wanted, "").to_lowercase(),
        hex(.found, "").to_lowercase()
    )]
    KeyIdentifier { wanted: Vec<u8>, found: Vec<u8> },
    /// ring has no algorithm for this key with this signature.
    #[error("expected a signature this program can verify, found algorithm {signature} with a key of {key}")]
    Unsupported { key: KeyKind, signature: Oid },
    /// The key did not make this signature.
    #[error("expected a signature by the issuer's key, found one that does not verify")]
    Signature,
}

/// Whose word counts on which signatures are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithms {
    /// What Kubernetes verifies.
    Kubernetes,
    /// DSA as well ([`crate::x509::dsa`]).
    Rfc5280,
}

impl Certificate {
    /// Name, key identifier and signature say that `issuer` signed this. Neither dates nor rights are looked at.
    pub fn signed_by(&self, issuer: &Self) -> Result<(), VerifyError> {
        let same = self.issuer_der == issuer.subject_der;
        names_agree(same, &self.issuer, self.authority_key_id.as_deref(), issuer)?;
        verify_der(&self.der, &self.signature_algorithm, issuer, Algorithms::Kubernetes)
    }
}

impl Certificate {
    /// Whether its issuer has this name, as RFC 5280 section 7.1 compares names: what is revoked is known by issuer and number,
    /// whoever wrote the name how. What other verifiers have to find, [`Self::signed_by`] judges.
    pub fn names_issuer(&self, issuer: &Self) -> bool {
        self.issuer_der == issuer.subject_der || same_name(&self.issuer, &issuer.subject)
    }

    /// [`Self::names_issuer`], and the signature is of its key, whatever the key identifiers.
    pub fn issued_by(&self, issuer: &Self) -> Result<(), VerifyError> {
        self.issued_with(issuer, Algorithms::Kubernetes)
    }

    /// [`Self::issued_by`] with these algorithms.
    pub fn issued_with(&self, issuer: &Self, algorithms: Algorithms) -> Result<(), VerifyError> {
        names_agree(self.names_issuer(issuer), &self.issuer, None, issuer)?;
        verify_der(&self.der, &self.signature_algorithm, issuer, algorithms)
    }
}

impl Crl {
    /// Name, key identifier and signature say that `issuer` signed this CRL, which is `der`. Neither dates nor rights are
    /// looked at. The hash over all of it is what takes the time.
    pub fn signed_by(&self, der: &[u8], issuer: &Certificate) -> Result<(), VerifyError> {
        self.signed_with(der, issuer, Algorithms::Kubernetes)
    }

    /// By its name, and by its key where both say which.
    pub fn names_issuer(&self, issuer: &Certificate) -> bool {
        let same = same_name(&self.issuer, &issuer.subject);
        names_agree(same, &self.issuer, self.authority_key_id.as_deref(), issuer).is_ok()
    }

    /// [`Self::signed_by`] with these algorithms.
    pub fn signed_with(&self, der: &[u8], issuer: &Certificate, algorithms: Algorithms) -> Result<(), VerifyError> {
        let same = same_name(&self.issuer, &issuer.subject);
        names_agree(same, &self.issuer, self.authority_key_id.as_deref(), issuer)?;
        verify_der(der, &self.signature_algorithm, issuer, algorithms)
    }
}

/// What was signed names `issuer`: by its name, and by its key where both say which.
fn names_agree(same: bool, name: &Name, key_id: Option<&[u8]>, issuer: &Certificate) -> Result<(), VerifyError> {
    if !same {
        return Err(VerifyError::Name { wanted: issuer.subject.clone(), found: name.clone() });
    }
    match (key_id, &issuer.subject_key_id) {
        (Some(found), Some(wanted)) if found != wanted => {
            Err(VerifyError::KeyIdentifier { wanted: wanted.clone(), found: found.to_vec() })
        }
        _ => Ok(()),
    }
}

/// Whether `issuer`'s key made the signature of anything that is signed.
pub fn verify_der(
    der: &[u8],
    signature: &Oid,
    issuer: &Certificate,
    algorithms: Algorithms,
) -> Result<(), VerifyError> {
    let parts = signed_parts(der).map_err(|NotDer| VerifyError::Signature)?;
    let answer = verify_with(&parts, signature, &issuer.key, &issuer.spki_der);
    let answer = match algorithms {
        Algorithms::Kubernetes => answer,
        Algorithms::Rfc5280 => answer.or_else(|| dsa::verify(&parts, signature, &issuer.spki_der)),
    };
    match answer {
        Some(true) => Ok(()),
        Some(false) => Err(VerifyError::Signature),
        None => Err(VerifyError::Unsupported { key: issuer.key.clone(), signature: signature.clone() }),
    }
}

/// Whether the key in `spki` made the signature of a certificate; `None`: this program has no algorithm for it.
pub fn is_signature_of(der: &[u8], signature: &Oid, spki: &[u8]) -> Option<bool> {
    let key = key_kind(spki).ok()?;
    let is_rsa = match &key {
        KeyKind::Known(algorithm) => Some(algorithm.is_rsa()),
        KeyKind::Other(OtherKey::Rsa { .. }) => Some(true),
        KeyKind::Other(_) => None,
    };
    let by = |arc: &str| signature.0.starts_with(arc);
    // PKCS#1 and ECDSA.
    match is_rsa {
        Some(true) if by("1.2.840.10045.4.") => Some(false),
        Some(false) if by("1.2.840.113549.1.1.") => Some(false),
        _ => verify_with(&signed_parts(der).ok()?, signature, &key, spki),
    }
}

/// Whether the key in `spki` made the signature of a message, by the algorithm that kpki signs with.
pub fn made_signature(algorithm: Algorithm, spki: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let verify: &dyn VerificationAlgorithm = match algorithm {
        Algorithm::EcdsaP256 => &signature::ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP384 => &signature::ECDSA_P384_SHA384_ASN1,
        Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => &signature::RSA_PKCS1_2048_8192_SHA256,
    };
    public_key::read(spki).is_ok_and(|key| UnparsedPublicKey::new(verify, key.bits).verify(message, signature).is_ok())
}

/// Whether the key in `spki` made the signature; `None`: ring has no algorithm for this.
pub(super) fn verify_with(parts: &SignedParts<'_>, signature: &Oid, key: &KeyKind, spki: &[u8]) -> Option<bool> {
    let algorithm = algorithm(key, &signature.0)?;
    let key = public_key::read(spki).ok()?;
    Some(UnparsedPublicKey::new(algorithm, key.bits).verify(parts.signed, parts.signature).is_ok())
}

fn algorithm(key: &KeyKind, signature: &str) -> Option<&'static dyn VerificationAlgorithm> {
    let known = match key {
        KeyKind::Known(algorithm) => *algorithm,
        // Odd but strong sizes (2560 bits and the like): verified, though never made.
        KeyKind::Other(OtherKey::Rsa { bits: 2049..=8192 }) => Algorithm::Rsa2048,
        KeyKind::Other(_) => return None,
    };
    Some(match (known, signature) {
        (Algorithm::EcdsaP256, "1.2.840.10045.4.3.2") => &signature::ECDSA_P256_SHA256_ASN1,
        (Algorithm::EcdsaP256, "1.2.840.10045.4.3.3") => &signature::ECDSA_P256_SHA384_ASN1,
        (Algorithm::EcdsaP384, "1.2.840.10045.4.3.2") => &signature::ECDSA_P384_SHA256_ASN1,
        (Algorithm::EcdsaP384, "1.2.840.10045.4.3.3") => &signature::ECDSA_P384_SHA384_ASN1,
        (rsa, "1.2.840.113549.1.1.11") if rsa.is_rsa() => &signature::RSA_PKCS1_2048_8192_SHA256,
        (rsa, "1.2.840.113549.1.1.12") if rsa.is_rsa() => &signature::RSA_PKCS1_2048_8192_SHA384,
        (rsa, "1.2.840.113549.1.1.13") if rsa.is_rsa() => &signature::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
