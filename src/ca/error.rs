//! Why something was not signed.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Algorithm, Oid};
use crate::ca::CrlFault;
use crate::clock::rfc3339;
use crate::encoding::EncodeError;
use crate::encoding::key::KeyError;
use crate::encoding::public_key::{EXPECTED, KeyKind};
use crate::x509::{ChainError, CrlError, Mismatch, ParseError, RequestError, VerifyError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaError {
    /// The key cannot be read.
    Key(KeyError),
    /// The container is well-formed, but its numbers are no key of this kind.
    InvalidKey(Algorithm),
    /// The signing library could not make a key.
    Generate(Algorithm),
    /// No random bytes from the system.
    Randomness,
    /// The signing library could not sign.
    Sign(Algorithm),
    /// A worker ended before its work did.
    Worker,
    /// A file without certificates.
    EmptyBundle,
    /// The first certificate is not an authority, or its keyUsage lacks keyCertSign.
    NotAnAuthority,
    /// The key belongs to none of the bundle, or to another than the first (counted from 1).
    KeyMismatch { position: Option<usize> },
    /// An unknown critical extension: every verifier refuses what it signs (RFC 5280 section 4.2).
    AuthorityExtension(Oid),
    /// The authority's extKeyUsage does not let it sign for servers and clients.
    AuthorityUsages,
    /// The issuer's own key is of no kind kpki signs with.
    IssuerKey(KeyKind),
    /// The key to be certified is none that kpki certifies.
    PublicKey(KeyKind),
    /// Not a SubjectPublicKeyInfo.
    BrokenPublicKey,
    /// The certificate would be valid longer than its issuer.
    Outlives { not_after: OffsetDateTime, issuer_not_after: OffsetDateTime },
    /// Valid until before valid from.
    EmptyValidity { not_before: OffsetDateTime, not_after: OffsetDateTime },
    /// The issuer's pathLenConstraint leaves no room for this authority (RFC 5280 section 4.2.1.9).
    PathLength { issuer: u32 },
    /// An authority needs a name for others to call their issuer (RFC 5280 section 4.1.2.6).
    NamelessAuthority,
    /// The blueprint cannot be written.
    Encode(EncodeError),
    /// The CRL that is to be changed cannot be read.
    OldCrl(CrlError),
    /// Nor is it signed by this authority's key.
    OldCrlSignature(VerifyError),
    /// What was asked for cannot be a CRL, or the CRL before cannot be continued.
    Crl(CrlFault),
    /// The certificate just signed cannot be read. This and what follows means a fault in kpki or in a library; nothing was
    /// handed out.
    Reread(ParseError),
    /// The certificate just signed is not its blueprint's.
    Differs(Vec<Mismatch>),
    /// Serial number, issuer, key or key identifiers are not those that were signed.
    TbsContext(TbsField),
    /// Its signature is not the signer's.
    Verify(VerifyError),
    /// The request just signed cannot be read.
    RereadRequest(RequestError),
    /// It is not its blueprint's.
    DiffersRequest,
    /// Its signature is not its own key's.
    VerifyRequest,
    /// The CRL just signed cannot be read.
    RereadCrl(CrlError),
    /// The part that reads back differently.
    DiffersCrl(&'static str),
    /// Its signature is not the signer's.
    VerifyCrl(VerifyError),
    /// A TLS peer would refuse it.
    Peer(ChainError),
}

/// What a blueprint does not state but a certificate does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TbsField {
    Serial,
    Issuer,
    PublicKey,
    SubjectKeyId,
    AuthorityKeyId,
    Version,
}

impl fmt::Display for TbsField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serial => "serial number",
            Self::Issuer => "issuer",
            Self::PublicKey => "public key",
            Self::SubjectKeyId => "subject key identifier",
            Self::AuthorityKeyId => "authority key identifier",
            Self::Version => "version",
        })
    }
}

impl fmt::Display for CaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::InvalidKey(algorithm) => write!(f, "expected a valid {algorithm} key, found numbers that are none"),
            Self::Generate(algorithm) => write!(f, "the signing library could not make a key of {algorithm}"),
            Self::Randomness => f.write_str("the system gave no random bytes"),
            Self::Sign(algorithm) => write!(f, "the signing library could not sign with a key of {algorithm}"),
            Self::Worker => f.write_str("a worker thread ended before its work did"),
            Self::EmptyBundle => f.write_str("expected the certificate of an authority, found none"),
            Self::NotAnAuthority => {
                f.write_str("expected an authority that may sign certificates, found a certificate that may not")
            }
            Self::KeyMismatch { position: None } => {
                f.write_str("expected the private key of the certificate, found another key")
            }
            Self::KeyMismatch { position: Some(position) } => write!(
                f,
                "expected the private key of the first certificate, found the one of certificate {position} in the file"
            ),
            Self::AuthorityExtension(oid) => {
                write!(f, "expected an authority without critical extensions of its own, found {oid}")
            }
            Self::AuthorityUsages => f.write_str(
                "expected an authority that may sign for servers and clients, found an extended key usage without them",
            ),
            Self::IssuerKey(kind) | Self::PublicKey(kind) => write!(f, "expected a key of {EXPECTED}, found {kind}"),
            Self::BrokenPublicKey => f.write_str("expected a well-formed public key"),
            Self::Outlives { not_after, issuer_not_after } => write!(
                f,
                "expected a certificate that ends no later than its issuer at {}, found {}",
                rfc3339(*issuer_not_after),
                rfc3339(*not_after)
            ),
            Self::EmptyValidity { not_before, not_after } => write!(
                f,
                "expected an end of validity after its start at {}, found {}",
                rfc3339(*not_before),
                rfc3339(*not_after)
            ),
            Self::PathLength { issuer } => {
                write!(f, "expected an issuer that allows this authority below it, found the path length {issuer}")
            }
            Self::NamelessAuthority => f.write_str("expected a subject for the authority, found none"),
            Self::Encode(error) => error.fmt(f),
            Self::Reread(error) => write!(f, "the certificate just signed does not read back: {error}"),
            Self::Differs(mismatches) => {
                f.write_str("the certificate just signed differs from its blueprint")?;
                mismatches.iter().try_for_each(|mismatch| write!(f, "; {mismatch}"))
            }
            Self::TbsContext(what) => write!(f, "the certificate just signed reads back with another {what}"),
            Self::Peer(error) => write!(f, "the certificate just signed would be refused by a TLS peer: {error}"),
            Self::OldCrl(error) => error.fmt(f),
            Self::OldCrlSignature(error) => write!(f, "the CRL before is not this authority's: {error}"),
            Self::Crl(fault) => fault.fmt(f),
            Self::RereadRequest(error) => write!(f, "the request just signed does not read back: {error}"),
            Self::DiffersRequest => f.write_str("the request just signed differs from its blueprint"),
            Self::VerifyRequest => f.write_str("the request just signed does not verify"),
            Self::RereadCrl(error) => write!(f, "the CRL just signed does not read back: {error}"),
            Self::DiffersCrl(part) => write!(f, "the CRL just signed reads back with another {part}"),
            Self::VerifyCrl(error) => write!(f, "the CRL just signed does not verify: {error}"),
            Self::Verify(error) => write!(f, "the certificate just signed does not verify: {error}"),
        }
    }
}

impl std::error::Error for CaError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Key(error) => Some(error),
            Self::Encode(error) => Some(error),
            Self::OldCrl(error) | Self::RereadCrl(error) => Some(error),
            Self::OldCrlSignature(error) | Self::Verify(error) | Self::VerifyCrl(error) => Some(error),
            Self::Crl(fault) => Some(fault),
            Self::Reread(error) => Some(error),
            Self::RereadRequest(error) => Some(error),
            Self::Peer(error) => Some(error),
            _ => None,
        }
    }
}
