//! A certificate as a TLS peer sees it: rustls-webpki builds and checks the path, and what it leaves open is closed here.
//! webpki ignores an anchor's dates, role, keyUsage and path length, does not ask intermediates for keyCertSign, and does
//! not look at the end entity's keyUsage.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};
use time::OffsetDateTime;
use webpki::ring as algorithms;
use webpki::{EndEntityCert, Error, anchor_from_trusted_cert};

use crate::blueprint::{KeyUsage, San};
use crate::clock::rfc3339;
use crate::x509::Certificate;

/// What the peer wants the certificate for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    Server,
    Client,
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "serverAuth",
            Self::Client => "clientAuth",
        })
    }
}

/// Which certificate of a path is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainPart {
    Anchor,
    /// The end entity or an intermediate.
    Path,
}

impl fmt::Display for ChainPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anchor => "authority",
            Self::Path => "certificate",
        })
    }
}

/// Why a TLS peer would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    #[error("the {link} expired at {}", rfc3339(*.not_after))]
    Expired { link: ChainPart, not_after: OffsetDateTime },
    #[error("the {link} is not valid before {}", rfc3339(*.not_before))]
    NotYetValid { link: ChainPart, not_before: OffsetDateTime },
    /// The anchor is not an authority that may sign certificates.
    #[error("expected an authority that may sign certificates, found one that may not")]
    AnchorIsNoAuthority,
    /// More intermediates than the anchor's pathLenConstraint allows (RFC 5280 section 4.2.1.9).
    #[error("expected a number of intermediates below the authority of at most {allowed}, found {found}")]
    PathLength { allowed: u32, found: usize },
    /// No path of names and signatures leads to the anchor.
    #[error("expected a certificate issued by this authority, found another issuer")]
    UnknownIssuer,
    #[error("expected a signature by the authority, found one that does not verify")]
    Signature,
    /// extKeyUsage does not name what the peer wants.
    #[error("expected the extended key usage {0}, found none")]
    ExtendedKeyUsage(Usage),
    /// keyUsage without digitalSignature, with which a TLS handshake is signed.
    #[error("expected the key usage digitalSignature, found none")]
    KeyUsage,
    /// An authority is no end entity.
    #[error("expected the certificate of an end entity, found one of an authority")]
    IsAuthority,
    #[error("expected a certificate valid for `{0}`, found other names")]
    Name(San),
    /// A name that TLS does not know: neither DNS nor address.
    #[error("expected a DNS name or an address, found `{0}`")]
    NoServerName(San),
    /// For another reason of rustls-webpki's, in our words.
    #[error("a TLS peer refuses it: {0}")]
    Refused(&'static str),
}

/// RSA from 2048 bits and both curves, each with the hashes webpki offers; no SHA-1, no Ed25519.
const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
];

/// Whether a TLS peer that trusts only `anchor` would take `leaf` at this instant.
pub fn verify_for(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchor: &Certificate,
    usage: Usage,
    at: OffsetDateTime,
) -> Result<(), ChainError> {
    if !anchor.may_sign_certificates() {
        return Err(ChainError::AnchorIsNoAuthority);
    }
    if at < anchor.not_before {
        return Err(ChainError::NotYetValid { link: ChainPart::Anchor, not_before: anchor.not_before });
    }
    if at > anchor.not_after {
        return Err(ChainError::Expired { link: ChainPart::Anchor, not_after: anchor.not_after });
    }
    if leaf.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        return Err(ChainError::KeyUsage);
    }
    let anchor_der = CertificateDer::from_slice(&anchor.der);
    let anchors = [anchor_from_trusted_cert(&anchor_der).map_err(|error| refused(&error, usage))?];
    let candidates: Vec<_> = intermediates
        .iter()
        .filter(|certificate| certificate.may_sign_certificates())
        .map(|certificate| CertificateDer::from_slice(&certificate.der))
        .collect();
    let leaf_der = CertificateDer::from_slice(&leaf.der);
    let end_entity = EndEntityCert::try_from(&leaf_der).map_err(|error| refused(&error, usage))?;
    let wanted = match usage {
        Usage::Server => webpki::KeyUsage::server_auth(),
        Usage::Client => webpki::KeyUsage::client_auth(),
    };
    let path = end_entity
        .verify_for_usage(ALGORITHMS, &anchors, &candidates, unix(at), wanted, None, None)
        .map_err(|error| refused(&error, usage))?;
    let found = path.intermediate_certificates().count();
    match anchor.path_len {
        Some(allowed) if found > allowed as usize => Err(ChainError::PathLength { allowed, found }),
        _ => Ok(()),
    }
}

/// Whether a client that dialled this name would take the certificate for it (RFC 6125, SAN only).
pub fn valid_for_name(leaf: &Certificate, name: &San) -> Result<(), ChainError> {
    let no_server_name = || ChainError::NoServerName(name.clone());
    let server = match name {
        San::Dns(dns) => ServerName::try_from(dns.as_str()).map_err(|_| no_server_name())?,
        San::Ip(address) => ServerName::from(*address),
        San::Email(_) | San::Uri(_) | San::Other(_) => return Err(no_server_name()),
    };
    let der = CertificateDer::from_slice(&leaf.der);
    let end_entity = EndEntityCert::try_from(&der).map_err(|error| ChainError::Refused(words(&error)))?;
    end_entity.verify_is_valid_for_subject_name(&server).map_err(|error| match error {
        Error::CertNotValidForName(_) => ChainError::Name(name.clone()),
        other => ChainError::Refused(words(&other)),
    })
}

fn refused(error: &Error, usage: Usage) -> ChainError {
    match error {
        Error::CertExpired { not_after, .. } => {
            ChainError::Expired { link: ChainPart::Path, not_after: instant(*not_after) }
        }
        Error::CertNotValidYet { not_before, .. } => {
            ChainError::NotYetValid { link: ChainPart::Path, not_before: instant(*not_before) }
        }
        Error::UnknownIssuer => ChainError::UnknownIssuer,
        Error::InvalidSignatureForPublicKey => ChainError::Signature,
        Error::RequiredEkuNotFoundContext(_) => ChainError::ExtendedKeyUsage(usage),
        Error::CaUsedAsEndEntity => ChainError::IsAuthority,
        other => ChainError::Refused(words(other)),
    }
}

/// Why rustls-webpki refuses a certificate or its path, where it is nothing that has a variant here.
const fn words(error: &Error) -> &'static str {
    match error {
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => "a part of it is not DER",
        Error::MalformedExtensions | Error::ExtensionValueInvalid => "an extension is malformed",
        Error::EmptyEkuExtension => "its extended key usage is empty",
        Error::InvalidSerialNumber => {
            "its serial number is not positive and of at most 20 octets (RFC 5280 section 4.1.2.2)"
        }
        Error::InvalidCertValidity => "its validity ends before it begins",
        Error::UnsupportedCertVersion => "it is not of version 3",
        Error::UnsupportedCriticalExtension => "it has a critical extension that peers do not know",
        Error::NameConstraintViolation => "a name constraint of its authority excludes a name in it",
        Error::InvalidNetworkMaskConstraint | Error::MalformedNameConstraint => "a name constraint is malformed",
        Error::UnsupportedNameType => "a name constraint is about a kind of name that peers do not know",
        Error::MalformedDnsIdentifier => "a DNS name in it is malformed",
        Error::EndEntityUsedAsCa => "a certificate on its path is no authority's",
        Error::PathLenConstraintViolated => "its path is longer than an authority on it allows",
        Error::SignatureAlgorithmMismatch => "its signature algorithm inside and outside differ",
        Error::MaximumNameConstraintComparisonsExceeded
        | Error::MaximumPathBuildCallsExceeded
        | Error::MaximumPathDepthExceeded
        | Error::MaximumSignatureChecksExceeded => "its path takes too much work",
        Error::UnsupportedSignatureAlgorithmContext(_) | Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            "its signature or its key is of a kind that peers do not take"
        }
        _ => "its path does not hold",
    }
}

/// webpki knows no time before 1970.
fn unix(at: OffsetDateTime) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.unix_timestamp()).unwrap_or(0)))
}

fn instant(at: UnixTime) -> OffsetDateTime {
    let seconds = i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;
