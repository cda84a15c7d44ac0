//! Private keys: made, read, written and used for signing.
//!
//! rcgen's key pair keeps whatever container it was given and calls it PKCS#8; here its own copy is wiped and the key is
//! kept beside it in kubeadm's container, so that content and label of a file agree.

use std::fmt;

use rcgen::{KeyPair, PublicKeyData as _, RsaKeySize, SignatureAlgorithm, SigningKey as _};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::blueprint::Algorithm;
use crate::ca::CaError;
use crate::ca::parallel::parallel_watched;
use crate::encoding::key::{Container, KeyMaterial};
use crate::encoding::public_key;
use crate::x509::{Certificate, Request};

/// SubjectPublicKeyInfo of an Ed25519 key in PKCS#8, which need not state it (RFC 8410 section 7). kpki shows such a key and
/// does not sign with it.
pub fn ed25519_public(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8));
    let mut pair = KeyPair::from_der_and_sign_algo(&der, &rcgen::PKCS_ED25519).ok()?;
    pair.zeroize();
    Some(pair.subject_public_key_info())
}

/// A private key of one of the kinds kpki makes. Never shown, wiped when dropped.
pub struct PrivateKey {
    pair: KeyPair,
    material: KeyMaterial,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, redacted)", self.algorithm())
    }
}

impl PrivateKey {
    pub fn generate(algorithm: Algorithm) -> Result<Self, CaError> {
        let size = match algorithm {
            Algorithm::Rsa2048 => Some(RsaKeySize::_2048),
            Algorithm::Rsa3072 => Some(RsaKeySize::_3072),
            Algorithm::Rsa4096 => Some(RsaKeySize::_4096),
            Algorithm::EcdsaP256 | Algorithm::EcdsaP384 => None,
        };
        let pair = match size {
            Some(size) => KeyPair::generate_rsa_for(library(algorithm), size),
            None => KeyPair::generate_for(library(algorithm)),
        };
        let pair = pair.map_err(|_| CaError::Generate(algorithm))?;
        let material = KeyMaterial::from_der(Container::Pkcs8, pair.serialized_der());
        Self::assemble(pair, material.map_err(|_| CaError::Generate(algorithm))?)
    }

    /// Any of `RSA PRIVATE KEY`, `EC PRIVATE KEY` and `PRIVATE KEY`, unencrypted.
    pub fn from_pem(pem: &[u8]) -> Result<Self, CaError> {
        let material = KeyMaterial::from_pem(pem)?;
        let algorithm = material.algorithm();
        let der = match material.container() {
            Container::Pkcs1 => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(material.der())),
            Container::Sec1 | Container::Pkcs8 => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(material.der())),
        };
        // The algorithm is one of the five this file knows; rcgen panics on others.
        let pair = KeyPair::from_der_and_sign_algo(&der, library(algorithm));
        Self::assemble(pair.map_err(|_| CaError::InvalidKey(algorithm))?, material)
    }

    fn assemble(mut pair: KeyPair, material: KeyMaterial) -> Result<Self, CaError> {
        pair.zeroize();
        let material = material.with_point(pair.der_bytes());
        let key = Self { pair, material };
        // What the library holds and what the container says are one kind, or the label of the file would be wrong.
        match public_key::read(&key.spki_der()) {
            Ok(read) if read.kind == public_key::KeyKind::Known(key.algorithm()) => Ok(key),
            _ => Err(CaError::InvalidKey(key.algorithm())),
        }
    }

    pub const fn algorithm(&self) -> Algorithm {
        self.material.algorithm()
    }

    /// SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> Vec<u8> {
        self.pair.subject_public_key_info()
    }

    /// kubeadm's container: `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.material.to_pem()
    }

    /// `PUBLIC KEY`, as in sa.pub.
    pub fn public_pem(&self) -> String {
        public_key::to_pem(&self.spki_der())
    }

    /// The certificate is about this key.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        certificate.key == public_key::KeyKind::Known(self.algorithm())
            && certificate.public_bits() == Some(self.pair.der_bytes())
    }

    /// The request is about this key.
    pub fn made(&self, request: &Request) -> bool {
        request.spki_der == self.spki_der()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CaError> {
        self.pair.sign(message).map_err(|_| CaError::Sign(self.algorithm()))
    }
}

const fn library(algorithm: Algorithm) -> &'static SignatureAlgorithm {
    match algorithm {
        Algorithm::Rsa2048 | Algorithm::Rsa3072 | Algorithm::Rsa4096 => &rcgen::PKCS_RSA_SHA256,
        Algorithm::EcdsaP256 => &rcgen::PKCS_ECDSA_P256_SHA256,
        Algorithm::EcdsaP384 => &rcgen::PKCS_ECDSA_P384_SHA384,
    }
}

/// One key per entry, in this order, made by as many threads as are given; `progress` is called with how many of how many are
/// done, on the calling thread.
pub fn generate_keys(
    algorithms: &[Algorithm],
    threads: usize,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<PrivateKey>, CaError> {
    let mut between = |done| progress(done, algorithms.len());
    parallel_watched(algorithms, threads, |algorithm| PrivateKey::generate(*algorithm), &mut between)
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
