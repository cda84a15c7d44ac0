//! Certificates out of a PEM file: one, or an authority followed by those above or beside it. Where a person names a file, DER
//! and PKCS#7 are taken, too; a tree's own files are PEM, because Kubernetes reads nothing else.

use crate::encoding::found::{Found, found};
use crate::encoding::pem::{self, PemError};
use crate::encoding::pkcs7::{self, Pkcs7Error, SignedData};
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
    #[error("{0}")]
    Pkcs7(#[from] Pkcs7Error),
    /// PKCS#7 without any.
    #[error("expected a certificate in PKCS#7, found none{}", but(*.crls))]
    NoneInPkcs7 { crls: usize },
    /// No certificate among the blocks; their labels. `other`: what it is that has no blocks.
    #[error("expected a PEM certificate, found {}", .other.map_or_else(|| pem::listed(.found, "no PEM block"), |other| other.to_string()))]
    NoCertificate { found: Vec<pem::Label>, other: Option<Found> },
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

fn but(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", but a CRL".to_owned(),
        count => format!(", but {count} CRLs"),
    }
}

/// The certificates of a file that a person names: PEM, one in DER, or PKCS#7 in either.
pub fn parse_bundle(input: &[u8]) -> Result<Vec<Certificate>, BundleError> {
    match signed_data(input)? {
        Some(signed) => in_pkcs7(&signed),
        None if input.first() == Some(&SEQUENCE) => Ok(vec![Certificate::parse(input)?]),
        None => parse_pem_bundle(input),
    }
}

/// How many CRLs stand beside the certificates that [`parse_bundle`] gives, in PKCS#7.
pub fn crls_beside(input: &[u8]) -> usize {
    signed_data(input).ok().flatten().map_or(0, |signed| signed.crls.len())
}

/// Of a file that is PKCS#7, or a text whose first certificates are.
fn signed_data(input: &[u8]) -> Result<Option<SignedData>, BundleError> {
    if input.first() == Some(&SEQUENCE) {
        let is_pkcs7 = found(input) == Some(Found::Pkcs7);
        return Ok(if is_pkcs7 { Some(pkcs7::read(input)?) } else { None });
    }
    let blocks = pem::read(input)?;
    match blocks.iter().find(|block| block.label.is_pkcs7() || block.label.is_certificate()) {
        Some(block) if block.label.is_pkcs7() => Ok(Some(pkcs7::read(&block.contents)?)),
        _ => Ok(None),
    }
}

fn in_pkcs7(signed: &SignedData) -> Result<Vec<Certificate>, BundleError> {
    if signed.certificates.is_empty() {
        return Err(BundleError::NoneInPkcs7 { crls: signed.crls.len() });
    }
    each(signed.certificates.iter().map(Vec::as_slice))
}

fn each<'a>(ders: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Certificate>, BundleError> {
    let read = |(index, der): (usize, _)| {
        Certificate::parse(der).map_err(|error| BundleError::Certificate { position: index + 1, error })
    };
    ders.enumerate().map(read).collect()
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
    let certificates = each(blocks.iter().filter_map(pem::Block::certificate))?;
    if certificates.is_empty() {
        return Err(none(input, blocks));
    }
    Ok(certificates)
}

fn none(input: &[u8], blocks: Vec<pem::Block>) -> BundleError {
    let labels: Vec<_> = blocks.into_iter().map(|block| block.label).collect();
    let other = found(input).filter(|_| labels.is_empty());
    BundleError::NoCertificate { found: labels, other }
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
        true => Err(none(input, blocks)),
        false => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CA: &str = include_str!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");

    fn form(name: &str) -> Result<Vec<Certificate>, BundleError> {
        #[allow(clippy::disallowed_methods)] // fixtures
        parse_bundle(&std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap())
    }

    #[test]
    fn pkcs7_is_taken_where_a_person_names_a_file() {
        for name in ["forms/chain.p7b", "forms/chain.der.p7b"] {
            let names: Vec<_> = form(name).unwrap().iter().map(|one| one.common_name().unwrap()).collect();
            assert_eq!(names, ["leaf", "intermediate", "root"], "{name}");
        }
        assert_eq!(form("forms/only-crl.p7b"), Err(BundleError::NoneInPkcs7 { crls: 1 }));
        assert!(matches!(form("forms/enveloped.p7m"), Err(BundleError::Pkcs7(Pkcs7Error::OtherContent(_)))));
        let text = std::str::from_utf8(include_bytes!("../../fixtures/forms/chain.p7b")).unwrap();
        assert_eq!(
            parse_pem_bundle(text.as_bytes()).unwrap_err().to_string(),
            "expected a PEM certificate, found PKCS7"
        );
        let der = include_bytes!("../../fixtures/forms/chain.der.p7b");
        assert_eq!(
            parse_pem_bundle(der).unwrap_err().to_string(),
            "expected a PEM certificate, found PKCS#7 (kpki convert --to pem takes certificates and CRLs out of it)"
        );
    }

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
        assert!(matches!(
            parse_pem_bundle(with("OTHER").as_bytes()),
            Err(BundleError::Pem(PemError::OtherLabel { .. }))
        ));
    }
}
