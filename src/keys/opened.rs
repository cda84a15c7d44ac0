//! A key that is opened when it is first needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::fault::KeyFault;
use crate::blueprint::Algorithm;
use crate::ca::{CaError, PrivateKey, Purpose, Signer, SignerFault};
use crate::catalog::CaId;
use crate::x509::Certificate;

/// The key of an authority's certificate, which says what kind of key it is before it is opened.
pub struct OpenedKey {
    pub authority: CaId,
    pub algorithm: Algorithm,
    pub certificate: Certificate,
    /// Reads it, and holds it against the certificate.
    pub open: Box<dyn Fn() -> Result<Arc<PrivateKey>, KeyFault> + Send + Sync>,
    pub key: OnceLock<Result<Arc<PrivateKey>, KeyFault>>,
}

impl fmt::Debug for OpenedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedKey({}, {}, redacted)", self.authority.name(), self.algorithm)
    }
}

impl OpenedKey {
    fn key(&self) -> &Result<Arc<PrivateKey>, KeyFault> {
        self.key.get_or_init(&self.open)
    }
}

impl Signer for OpenedKey {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn spki_der(&self) -> Vec<u8> {
        self.certificate.spki_der.clone()
    }

    fn sign(&self, message: &[u8], _: Purpose) -> Result<Vec<u8>, CaError> {
        match self.key() {
            Ok(key) => PrivateKey::sign(key, message),
            Err(why) => Err(why.clone().into()),
        }
    }

    fn ready(&self) -> Result<(), SignerFault> {
        self.key().as_ref().map(|_| ()).map_err(|why| why.clone().into())
    }
}
