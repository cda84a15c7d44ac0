//! Why something was not signed.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Algorithm, Oid};
use crate::ca::{CrlFault, SignerFault};
use crate::clock::rfc3339;
use crate::encoding::EncodeError;
use crate::encoding::key::KeyError;
use crate::encoding::public_key::{EXPECTED, KeyKind};
use crate::random::NoRandomBytes;
use crate::signals::Stopped;
use crate::x509::{ChainError, CrlError, Mismatch, ParseError, PathError, RequestError, VerifyError};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaError {
    /// The key cannot be read.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// The container is well-formed, but its numbers are no key of this kind.
    #[error("expected a valid {0} key, found numbers that are none")]
    InvalidKey(Algorithm),
    /// The signing library could not make a key.
    #[error("the signing library could not make a key of {0}")]
    Generate(Algorithm),
    /// No random bytes from the system.
    #[error(transparent)]
    Randomness(#[from] NoRandomBytes),
    /// The signing library could not sign.
    #[error("the signing library could not sign with a key of {0}")]
    Sign(Algorithm),
    /// A key that is not in the tree did not sign.
    #[error("{0}")]
    Signer(#[source] SignerFault),
    /// A signal arrived.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A worker ended before its work did.
    #[error("a worker thread ended before its work did")]
    Worker,
    /// A file without certificates.
    #[error("expected the certificate of an authority, found none")]
    EmptyBundle,
    /// The first certificate is not an authority, or its keyUsage lacks keyCertSign.
    #[error("expected an authority that may sign certificates, found a certificate that may not")]
    NotAnAuthority,
    /// The key belongs to none of the bundle, or to another than the first (counted from 1).
    #[error("expected the private key of {}", other_key(*.position))]
    KeyMismatch { position: Option<usize> },
    /// An unknown critical extension: every verifier refuses what it signs (RFC 5280 section 4.2).
    #[error("expected an authority without critical extensions of its own, found {0}")]
    AuthorityExtension(Oid),
    /// The authority's extKeyUsage does not let it sign for servers and clients.
    #[error("expected an authority that may sign for servers and clients, found an extended key usage without them")]
    AuthorityUsages,
    /// The issuer's own key is of no kind kpki signs with.
    #[error("expected a key of {EXPECTED}, found {0}")]
    IssuerKey(KeyKind),
    /// The key to be certified is none that kpki certifies.
    #[error("expected a key of {EXPECTED}, found {0}")]
    PublicKey(KeyKind),
    /// Not a SubjectPublicKeyInfo.
    #[error("expected a well-formed public key")]
    BrokenPublicKey,
    /// The certificate would be valid longer than its issuer.
    #[error(
        "expected a certificate that ends no later than its issuer at {}, found {}",
        rfc3339(*.issuer_not_after),
        rfc3339(*.not_after)
    )]
    Outlives { not_after: OffsetDateTime, issuer_not_after: OffsetDateTime },
    /// Valid until before valid from.
    #[error("expected an end of validity after its start at {}, found {}", rfc3339(*.not_before), rfc3339(*.not_after))]
    EmptyValidity { not_before: OffsetDateTime, not_after: OffsetDateTime },
    /// The issuer's pathLenConstraint leaves no room for this authority (RFC 5280 section 4.2.1.9).
    #[error("expected an issuer that allows this authority below it, found the path length {issuer}")]
    PathLength { issuer: u32 },
    /// An authority needs a name for others to call their issuer (RFC 5280 section 4.1.2.6).
    #[error("expected a subject for the authority, found none")]
    NamelessAuthority,
    /// The blueprint cannot be written.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The CRL that is to be changed cannot be read.
    #[error("{0}")]
    OldCrl(#[source] CrlError),
    /// Nor is it signed by this authority's key.
    #[error("the CRL before is not this authority's: {0}")]
    OldCrlSignature(#[source] VerifyError),
    /// What was asked for cannot be a CRL, or the CRL before cannot be continued.
    #[error("{0}")]
    Crl(#[from] CrlFault),
    /// The certificate just signed cannot be read. This and what follows means a fault in kpki or in a library; nothing was
    /// handed out.
    #[error("the certificate just signed does not read back: {0}")]
    Reread(#[source] ParseError),
    /// The certificate just signed is not its blueprint's.
    #[error("the certificate just signed differs from its blueprint{}", listed(.0))]
    Differs(Vec<Mismatch>),
    /// Serial number, issuer, key or key identifiers are not those that were signed.
    #[error("the certificate just signed reads back with another {0}")]
    TbsContext(TbsField),
    /// Its signature is not the signer's.
    #[error("the certificate just signed does not verify: {0}")]
    Verify(#[source] VerifyError),
    /// The request just signed cannot be read.
    #[error("the request just signed does not read back: {0}")]
    RereadRequest(#[source] RequestError),
    /// It is not its blueprint's.
    #[error("the request just signed differs from its blueprint")]
    DiffersRequest,
    /// Its signature is not its own key's.
    #[error("the request just signed does not verify")]
    VerifyRequest,
    /// The CRL just signed cannot be read.
    #[error("the CRL just signed does not read back: {0}")]
    RereadCrl(#[source] CrlError),
    /// The part that reads back differently.
    #[error("the CRL just signed reads back with another {0}")]
    DiffersCrl(&'static str),
    /// Its signature is not the signer's.
    #[error("the CRL just signed does not verify: {0}")]
    VerifyCrl(#[source] VerifyError),
    /// A TLS peer would refuse it.
    #[error("the certificate just signed would be refused by a TLS peer: {0}")]
    Peer(#[source] ChainError),
    /// An authority above the one that signs forbids it.
    #[error("the certificate just signed breaks a rule of an authority above the one that signs: {0}")]
    Above(#[source] PathError),
}

fn other_key(position: Option<usize>) -> String {
    match position {
        None => "the certificate, found another key".to_owned(),
        Some(position) => format!("the first certificate, found the one of certificate {position} in the file"),
    }
}

fn listed(mismatches: &[Mismatch]) -> String {
    mismatches.iter().map(|mismatch| format!("; {mismatch}")).collect()
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
    Dates,
    Extensions,
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
            Self::Dates => "validity",
            Self::Extensions => "subject or extension",
        })
    }
}
