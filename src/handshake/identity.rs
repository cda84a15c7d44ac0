//! A certificate with its key, as one side of a handshake holds them.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use crate::encoding::key_container::Container;
use crate::encoding::pem_blocks::blocks;
use crate::encoding::raw_key::RawKey;
use crate::x509::Certificate;

/// A chain with the key of its first certificate. The key is held by aws-lc-rs, which wipes it.
#[derive(Clone)]
pub struct Identity(pub(super) Arc<CertifiedKey>);

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

/// Why no handshake can be made with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    #[error("expected a certificate, found none")]
    NoCertificate,
    #[error("expected a private key, found none")]
    NoKey,
    #[error("expected a key without a password, found an encrypted one")]
    Encrypted,
    #[error("expected a key that a handshake can be signed with here, found {0}")]
    Kind(String),
}

impl Identity {
    /// `key` is PEM.
    ///
    /// # Errors
    /// Why nothing can be signed with this key. That it is another certificate's shows in the handshake.
    pub fn new(chain: &[Certificate], key: &[u8]) -> Result<Self, Unusable> {
        if chain.is_empty() {
            return Err(Unusable::NoCertificate);
        }
        let chain = chain.iter().map(|certificate| CertificateDer::from(certificate.der.clone())).collect();
        Ok(Self(Arc::new(CertifiedKey::new(chain, signing_key(key)?))))
    }
}

/// The first private key of a PEM text.
pub(super) fn signing_key(pem: &[u8]) -> Result<Arc<dyn SigningKey>, Unusable> {
    let broken = || Unusable::Kind("one that is damaged".to_owned());
    let raw = blocks(pem).flatten().find(|raw| raw.is_private_key()).ok_or(Unusable::NoKey)?;
    let block = raw.decode().map_err(|_| broken())?;
    if block.encrypted || raw.is("ENCRYPTED PRIVATE KEY") {
        return Err(Unusable::Encrypted);
    }
    let key = RawKey::detect(&block.contents).ok_or_else(broken)?;
    let der = match key.container() {
        Container::Pkcs1 => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(key.der())),
        Container::Sec1 => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(key.der())),
        Container::Pkcs8 => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.der())),
    };
    any_supported_type(&der).map_err(|_| key.kind().map_or_else(|_| broken(), |kind| Unusable::Kind(kind.to_string())))
}
