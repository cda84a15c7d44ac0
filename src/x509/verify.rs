//! One signature at a time, by ring. SHA-1, and RSA below 2048 bits, are not verified: kpki hands out neither, and what
//! kubeadm ever wrote has neither.

use std::fmt;

use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

use crate::blueprint::{Algorithm, Name, Oid};
use crate::encoding::certificate::{SignedParts, signed_parts};
use crate::encoding::public_key;
use crate::x509::{Certificate, Crl, KeyKind, OtherKey, same_name};

/// Why a certificate was not signed by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyError {
    /// RFC 5280 section 6.1.3 (a)(4), compared byte by byte as most verifiers do.
    Name {
        wanted: Name,
        found: Name,
    },
    /// Both identifiers are there and differ (RFC 5280 section 4.2.1.1).
    KeyIdentifier {
        wanted: Vec<u8>,
        found: Vec<u8>,
    },
    /// ring has no algorithm for this key with this signature.
    Unsupported {
        key: KeyKind,
        signature: Oid,
    },
    Signature,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { wanted, found } => write!(f, "expected the issuer `{wanted}`, found `{found}`"),
            Self::KeyIdentifier { wanted, found } => {
                write!(f, "expected the authority key identifier {}, found {}", Hex(wanted), Hex(found))
            }
            Self::Unsupported { key, signature } => {
                write!(
                    f,
                    "expected a signature this program can verify, found algorithm {signature} with a key of {key}"
                )
            }
            Self::Signature => f.write_str("expected a signature by the issuer's key, found one that does not verify"),
        }
    }
}

impl std::error::Error for VerifyError {}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Certificate {
    /// Name, key identifier and signature say that `issuer` signed this. Neither dates nor rights are looked at.
    pub fn signed_by(&self, issuer: &Self) -> Result<(), VerifyError> {
        if self.issuer_der != issuer.subject_der {
            return Err(VerifyError::Name { wanted: issuer.subject.clone(), found: self.issuer.clone() });
        }
        if let (Some(found), Some(wanted)) = (&self.authority_key_id, &issuer.subject_key_id)
            && found != wanted
        {
            return Err(VerifyError::KeyIdentifier { wanted: wanted.clone(), found: found.clone() });
        }
        match signed_parts(&self.der) {
            Ok(frame) => verify_signed_parts(&frame, &self.signature_algorithm, issuer),
            Err(_) => Err(VerifyError::Signature),
        }
    }
}

impl Crl {
    /// Name, key identifier and signature say that `issuer` signed this list, which is `der`. Neither dates nor rights are
    /// looked at. The hash over all of it is what takes the time.
    pub fn signed_by(&self, der: &[u8], issuer: &Certificate) -> Result<(), VerifyError> {
        if !same_name(&self.issuer, &issuer.subject) {
            return Err(VerifyError::Name { wanted: issuer.subject.clone(), found: self.issuer.clone() });
        }
        if let (Some(found), Some(wanted)) = (&self.authority_key_id, &issuer.subject_key_id)
            && found != wanted
        {
            return Err(VerifyError::KeyIdentifier { wanted: wanted.clone(), found: found.clone() });
        }
        match signed_parts(der) {
            Ok(frame) => verify_signed_parts(&frame, &self.signature_algorithm, issuer),
            Err(_) => Err(VerifyError::Signature),
        }
    }
}

/// Whether `issuer`'s key made the signature of anything with a frame.
pub fn verify_signed_parts(frame: &SignedParts<'_>, signature: &Oid, issuer: &Certificate) -> Result<(), VerifyError> {
    let unsupported = || VerifyError::Unsupported { key: issuer.key.clone(), signature: signature.clone() };
    let algorithm = algorithm(&issuer.key, &signature.0).ok_or_else(unsupported)?;
    let key = public_key::read(&issuer.spki_der).map_err(|_| VerifyError::Signature)?;
    UnparsedPublicKey::new(algorithm, key.bits)
        .verify(frame.signed, frame.signature)
        .map_err(|_| VerifyError::Signature)
}

/// Whether the key in `spki` made the signature; `None`: ring has no algorithm for this.
pub(super) fn verify_with(frame: &SignedParts<'_>, signature: &Oid, key: &KeyKind, spki: &[u8]) -> Option<bool> {
    let algorithm = algorithm(key, &signature.0)?;
    let key = public_key::read(spki).ok()?;
    Some(UnparsedPublicKey::new(algorithm, key.bits).verify(frame.signed, frame.signature).is_ok())
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
