//! Certificates out of a PEM file: one, or an authority followed by those above or beside it.

use crate::encoding::pem::{self, PemError};
use crate::encoding::tlv::SEQUENCE;
use crate::x509::{Certificate, ParseError};

/// `position` counts certificates from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// A block is broken.
    #[error("{0}")]
    Pem(#[from] PemError),
    /// It is not PEM, and no certificate in DER.
    #[error("{0}")]
    Der(#[from] ParseError),
    /// No certificate among the blocks; their labels.
    #[error("expected a PEM certificate, found {}", pem::listed(.found, "no PEM block"))]
    NoCertificate { found: Vec<pem::Label> },
    /// In a file that is copied to whoever trusts the authority.
    #[error("expected certificates only, found a private key beside them")]
    PrivateKey,
    /// One of the certificates cannot be read.
    #[error("certificate {position}: {error}")]
    Certificate {
        position: usize,
        #[source]
        error: ParseError,
    },
}

/// The certificates of a file: PEM, or one in DER.
pub fn parse_bundle(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    if input.first() == Some(&SEQUENCE) { Ok(vec![Certificate::parse(input)?]) } else { parse_pem_bundle(input) }
}

/// The file of an authority's certificate. It is copied to every node, readable for everybody, and embedded in kubeconfigs:
/// with a private key in it it is refused, so that no verb passes the key on.
pub fn parse_authority(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    if pem::holds_private_key(input) { Err(BundleError::PrivateKey) } else { parse_pem_bundle(input) }
}

/// Every `CERTIFICATE` block in order, at least one; blocks of other kinds are passed over (kubelet keeps the key in the
/// same file).
pub fn parse_pem_bundle(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    let blocks = pem::read(input)?;
    let certificates = blocks
        .iter()
        .filter(|block| block.label.is("CERTIFICATE"))
        .enumerate()
        .map(|(index, block)| {
            Certificate::parse(&block.contents).map_err(|error| BundleError::Certificate { position: index + 1, error })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(BundleError::NoCertificate { found: blocks.into_iter().map(|block| block.label).collect() });
    }
    Ok(certificates)
}
