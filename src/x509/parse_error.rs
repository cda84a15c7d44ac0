//! Why bytes are not a certificate, or not extensions.

use x509_parser::error::X509Error;
use x509_parser::nom;

use crate::blueprint::Oid;

/// A certificate is a few kilobytes; a thousand SANs make 64 KB.
pub const LIMIT: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParseError {
    /// More bytes than [`LIMIT`].
    #[error("expected a certificate of at most {LIMIT} bytes, found {found}")]
    TooLarge { found: usize },
    /// Not the three parts of a certificate, or something stands before, inside or after it that does not belong there.
    #[error("expected the DER of one certificate, found something else or more")]
    Malformed,
    /// What x509-parser refuses.
    #[error("expected a certificate: {0}")]
    Syntax(#[source] nom::Err<X509Error>),
    /// Not a list of extensions.
    #[error("expected a well-formed list of extensions")]
    Extensions,
    /// Not a Name.
    #[error("expected a well-formed issuer name")]
    Issuer,
    /// Not a Name.
    #[error("expected a well-formed subject name")]
    Subject,
    /// Not a SubjectPublicKeyInfo.
    #[error("expected a well-formed public key")]
    PublicKey,
    /// The algorithm inside the signed part is not the one beside it (RFC 5280 section 4.1.1.2).
    #[error("expected one signature algorithm inside and beside the signed part, found two")]
    SignatureAlgorithm,
    /// Empty, or of more than 64 octets.
    #[error("expected a serial number of 1 to 64 bytes")]
    Serial,
    /// RFC 5280 section 4.2: one instance at most.
    #[error("expected each extension once, found {0} twice")]
    DuplicateExtension(Oid),
    /// Its value is not what its identifier says.
    #[error("expected a well-formed extension {0}")]
    Extension(Oid),
}

/// The parser's errors hold nothing that is not equal to itself.
impl Eq for ParseError {}
