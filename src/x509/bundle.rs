//! Certificates out of a PEM file: one, or an authority followed by those above or beside it.

use std::fmt;

use crate::encoding::pem::{self, PemError};
use crate::x509::{Certificate, ParseError};

/// `position` counts certificates from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleError {
    /// A block is broken.
    Pem(PemError),
    /// No certificate among the blocks; their labels.
    NoCertificate { found: Vec<String> },
    /// One of the certificates cannot be read.
    Certificate { position: usize, error: ParseError },
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => error.fmt(f),
            Self::NoCertificate { found } if found.is_empty() => {
                f.write_str("expected a PEM certificate, found no PEM block")
            }
            Self::NoCertificate { found } => write!(f, "expected a PEM certificate, found {}", found.join(", ")),
            Self::Certificate { position, error } => write!(f, "certificate {position}: {error}"),
        }
    }
}

impl std::error::Error for BundleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Pem(error) => Some(error),
            Self::Certificate { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// Every `CERTIFICATE` block in order, at least one; blocks of other kinds are passed over (kubelet keeps the key in the
/// same file).
pub fn parse_pem_bundle(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    let blocks = pem::read(input).map_err(BundleError::Pem)?;
    let certificates = blocks
        .iter()
        .filter(|block| block.label == "CERTIFICATE")
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
