//! Who signs: an authority's certificate with its private key.

use crate::ca::{CaError, PrivateKey};
use crate::x509::{Certificate, KeyKind};

/// An authority that can sign. Its dates are not looked at: signing with an expired authority is the caller's decision.
#[derive(Debug)]
pub struct Issuer {
    certificate: Certificate,
    chain: Vec<Certificate>,
    key: PrivateKey,
}

impl Issuer {
    /// `bundle` as it stands in the file: the first certificate signs, what follows is its chain.
    pub fn new(bundle: Vec<Certificate>, key: PrivateKey) -> Result<Self, CaError> {
        let matching = bundle.iter().position(|certificate| key.matches(certificate));
        if let Some(index @ 1..) = matching {
            return Err(CaError::KeyMismatch { position: Some(index + 1) });
        }
        let mut certificates = bundle.into_iter();
        let certificate = certificates.next().ok_or(CaError::EmptyBundle)?;
        if !certificate.may_sign_certificates() {
            return Err(CaError::NotAnAuthority);
        }
        if let KeyKind::Other(_) = &certificate.key {
            return Err(CaError::IssuerKey(certificate.key));
        }
        if matching.is_none() {
            return Err(CaError::KeyMismatch { position: None });
        }
        Ok(Self { certificate, chain: certificates.collect(), key })
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificates after the first, in the order of the file.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The whole bundle as PEM, for a kubeconfig's certificate-authority-data.
    pub fn bundle_pem(&self) -> String {
        std::iter::once(&self.certificate).chain(&self.chain).map(Certificate::to_pem).collect()
    }
}
