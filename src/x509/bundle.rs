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
    /// In such a file: Go, and so Kubernetes, passes the block over in silence.
    #[error(
        "expected the PEM label CERTIFICATE, found {0}, which Kubernetes passes over; kpki convert --to pem writes the label anew"
    )]
    OtherLabel(pem::Label),
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
    if pem::holds_private_key(input) {
        return Err(BundleError::PrivateKey);
    }
    let other = pem::read(input)?.into_iter().map(|block| block.label);
    match other.into_iter().find(|label| label.is_certificate() && !label.is("CERTIFICATE")) {
        Some(label) => Err(BundleError::OtherLabel(label)),
        None => parse_pem_bundle(input),
    }
}

/// Every certificate's block in order, at least one; blocks of other kinds are passed over (kubelet keeps the key in the
/// same file).
pub fn parse_pem_bundle(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    let blocks = pem::read(input)?;
    let certificates = blocks
        .iter()
        .filter_map(pem::Block::certificate)
        .enumerate()
        .map(|(index, der)| {
            Certificate::parse(der).map_err(|error| BundleError::Certificate { position: index + 1, error })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err(BundleError::NoCertificate { found: blocks.into_iter().map(|block| block.label).collect() });
    }
    Ok(certificates)
}

/// Roots that others collected, PEM or one in DER. A collection has certificates of every kind: one that cannot be read is
/// trusted for nothing, and so passed over.
pub fn parse_roots(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    if input.first() == Some(&SEQUENCE) {
        return Ok(vec![Certificate::parse(input)?]);
    }
    let blocks = pem::read(input)?;
    let roots: Vec<Certificate> =
        blocks.iter().filter_map(|block| Certificate::parse(block.certificate()?).ok()).collect();
    match roots.is_empty() {
        true => Err(BundleError::NoCertificate { found: blocks.into_iter().map(|block| block.label).collect() }),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = include_str!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");

    #[test]
    fn labels_of_other_programs_are_read_and_no_authority_has_them() {
        let with = |label: &str| CA.replace("CERTIFICATE", label);
        let mut trusted = pem::read(CA.as_bytes()).unwrap().remove(0).contents.to_vec();
        let plain = trusted.len();
        trusted.extend([0x30, 2, 0x0c, 0]);
        let trusted = pem::write_public("TRUSTED CERTIFICATE", &trusted);
        for (text, known) in [(CA.to_owned(), true), (with("X509 CERTIFICATE"), false), (trusted, false)] {
            let found = parse_pem_bundle(text.as_bytes()).unwrap();
            assert_eq!((found.len(), found[0].der.len()), (1, plain), "{text}");
            // Behind one that Kubernetes reads, another would be passed over.
            let second = parse_authority(format!("{CA}{text}").as_bytes());
            assert_eq!(second.is_ok(), known, "{second:?}");
            assert_eq!(matches!(second, Err(BundleError::OtherLabel(_))), !known);
        }
        assert!(matches!(parse_pem_bundle(with("OTHER").as_bytes()), Err(BundleError::NoCertificate { .. })));
    }
}
