//! Signing with an authority's key, wherever that key is.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest as hash;

use crate::blueprint::Algorithm;
use crate::ca::{CaError, PrivateKey, SignerFault};
use crate::encoding::public_key;
use crate::x509::{Certificate, KeyKind};

/// What a signature is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Certificate,
    Crl,
    Request,
}

impl Purpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Crl => "crl",
            Self::Request => "request",
        }
    }
}

/// A key that signs. Nothing that it signs is published before its signature was verified.
pub trait Signer: fmt::Debug + Send + Sync {
    fn algorithm(&self) -> Algorithm;

    /// SubjectPublicKeyInfo.
    fn spki_der(&self) -> Vec<u8>;

    /// The certificate is about this key.
    fn is_key_of(&self, certificate: &Certificate) -> bool {
        certificate.key == KeyKind::Known(self.algorithm()) && same_key(&certificate.spki_der, &self.spki_der())
    }

    /// The signature as it stands in a certificate: PKCS#1 v1.5 of an RSA key, ECDSA-Sig-Value (RFC 5480 appendix A) of another.
    fn sign(&self, message: &[u8], purpose: Purpose) -> Result<Vec<u8>, CaError>;

    /// Opens a key that is not open yet. One that cannot be opened signs nothing.
    fn ready(&self) -> Result<(), SignerFault> {
        Ok(())
    }

    /// So many signatures at the same time. A key in memory makes as many as there are threads.
    fn parallel(&self) -> usize {
        1
    }

    /// The key itself, where it is in memory.
    fn private_key(&self) -> Option<&PrivateKey> {
        None
    }
}

impl Signer for PrivateKey {
    fn algorithm(&self) -> Algorithm {
        Self::algorithm(self)
    }

    fn spki_der(&self) -> Vec<u8> {
        Self::spki_der(self)
    }

    fn sign(&self, message: &[u8], _: Purpose) -> Result<Vec<u8>, CaError> {
        Self::sign(self, message)
    }

    fn is_key_of(&self, certificate: &Certificate) -> bool {
        self.matches(certificate)
    }

    fn private_key(&self) -> Option<&PrivateKey> {
        Some(self)
    }
}

/// The parameters of an algorithm may be written in several ways.
pub fn same_key(one: &[u8], other: &[u8]) -> bool {
    match (public_key::read(one), public_key::read(other)) {
        (Ok(one), Ok(other)) => one.bits == other.bits,
        _ => false,
    }
}

/// A key that others hold too.
impl Signer for Arc<PrivateKey> {
    fn algorithm(&self) -> Algorithm {
        PrivateKey::algorithm(self)
    }

    fn spki_der(&self) -> Vec<u8> {
        PrivateKey::spki_der(self)
    }

    fn sign(&self, message: &[u8], _: Purpose) -> Result<Vec<u8>, CaError> {
        PrivateKey::sign(self, message)
    }

    fn is_key_of(&self, certificate: &Certificate) -> bool {
        self.matches(certificate)
    }

    fn private_key(&self) -> Option<&PrivateKey> {
        Some(self)
    }
}

/// What a key of this kind signs of a message: SHA-384 with P-384, else SHA-256.
pub fn digest(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::EcdsaP384 => &hash::SHA384,
        _ => &hash::SHA256,
    };
    hash::digest(hash, message).as_ref().to_vec()
}
