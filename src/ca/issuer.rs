//! Who signs: an authority's certificate with its private key.

use crate::blueprint::{ExtendedKeyUsage, Oid};
use crate::ca::{CaError, PrivateKey, Signer};
use crate::x509::{Certificate, KeyKind};

/// An authority that can sign. Its dates are not looked at: signing with an expired authority is the caller's decision.
#[derive(Debug)]
pub struct Issuer {
    certificate: Certificate,
    chain: Vec<Certificate>,
    signer: Box<dyn Signer>,
}

impl Issuer {
    /// `bundle` as it stands in the file: the first certificate signs, what follows is its chain.
    pub fn new(bundle: Vec<Certificate>, key: PrivateKey) -> Result<Self, CaError> {
        Self::by(bundle, Box::new(key))
    }

    /// The same with a key that may be elsewhere.
    pub fn by(bundle: Vec<Certificate>, signer: Box<dyn Signer>) -> Result<Self, CaError> {
        let matching = bundle.iter().position(|certificate| signer.is_key_of(certificate));
        if let Some(index @ 1..) = matching {
            return Err(CaError::KeyMismatch { position: Some(index + 1) });
        }
        let mut certificates = bundle.into_iter();
        let certificate = certificates.next().ok_or(CaError::EmptyBundle)?;
        Self::check(&certificate)?;
        if let KeyKind::Other(_) = &certificate.key {
            return Err(CaError::IssuerKey(certificate.key));
        }
        if matching.is_none() {
            return Err(CaError::KeyMismatch { position: None });
        }
        Ok(Self { certificate, chain: certificates.collect(), signer })
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The certificates after the first, in the order of the file.
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    pub fn signer(&self) -> &dyn Signer {
        &*self.signer
    }

    /// Of an issuer that a test has made.
    #[cfg(test)]
    #[allow(clippy::expect_used)]
    pub fn key(&self) -> &PrivateKey {
        self.signer.private_key().expect("a key in memory")
    }

    /// The whole bundle as PEM, for a kubeconfig's certificate-authority-data.
    pub fn bundle_pem(&self) -> String {
        std::iter::once(&self.certificate).chain(&self.chain).map(Certificate::to_pem).collect()
    }

    /// Whether verifiers will take what this authority signs; its key and dates are not looked at. Go and OpenSSL hold this
    /// against every authority of a path; rustls-webpki does not on a trust anchor.
    pub fn check(certificate: &Certificate) -> Result<(), CaError> {
        if !certificate.may_sign_certificates() {
            return Err(CaError::NotAnAuthority);
        }
        if let Some(oid) = certificate.unknown_critical.first() {
            return Err(CaError::AuthorityExtension(oid.clone()));
        }
        let usages = &certificate.extended_key_usages;
        let any = ExtendedKeyUsage::Other(Oid::new("2.5.29.37.0"));
        let both = usages.contains(&ExtendedKeyUsage::ServerAuth) && usages.contains(&ExtendedKeyUsage::ClientAuth);
        if usages.is_empty() || usages.contains(&any) || both { Ok(()) } else { Err(CaError::AuthorityUsages) }
    }
}
