//! Why bytes are not a certificate, or not extensions.

use std::fmt;

use x509_parser::error::X509Error;
use x509_parser::nom;

use crate::blueprint::Oid;

/// A certificate is a few kilobytes; a thousand SANs make 64 KB.
pub const LIMIT: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq)]
pub enum ParseError {
    /// More bytes than [`LIMIT`].
    TooLarge { found: usize },
    /// Not the three parts of a certificate, or something stands before, inside or after it that does not belong there.
    Malformed,
    /// What x509-parser refuses.
    Syntax(nom::Err<X509Error>),
    /// Not a list of extensions.
    Extensions,
    /// Not a Name.
    Issuer,
    /// Not a Name.
    Subject,
    /// Not a SubjectPublicKeyInfo.
    PublicKey,
    /// The algorithm inside the signed part is not the one beside it (RFC 5280 section 4.1.1.2).
    SignatureAlgorithm,
    /// Empty, or of more than 64 octets.
    Serial,
    /// RFC 5280 section 4.2: one instance at most.
    DuplicateExtension(Oid),
    /// Its value is not what its identifier says.
    Extension(Oid),
}

/// The parser's errors hold nothing that is not equal to itself.
impl Eq for ParseError {}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { found } => write!(f, "expected a certificate of at most {LIMIT} bytes, found {found}"),
            Self::Malformed => f.write_str("expected the DER of one certificate, found something else or more"),
            Self::Syntax(error) => write!(f, "expected a certificate: {error}"),
            Self::Extensions => f.write_str("expected a well-formed list of extensions"),
            Self::Issuer => f.write_str("expected a well-formed issuer name"),
            Self::Subject => f.write_str("expected a well-formed subject name"),
            Self::PublicKey => f.write_str("expected a well-formed public key"),
            Self::SignatureAlgorithm => {
                f.write_str("expected one signature algorithm inside and beside the signed part, found two")
            }
            Self::Serial => f.write_str("expected a serial number of 1 to 64 bytes"),
            Self::DuplicateExtension(oid) => write!(f, "expected each extension once, found {oid} twice"),
            Self::Extension(oid) => write!(f, "expected a well-formed extension {oid}"),
        }
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Syntax(nom::Err::Error(error) | nom::Err::Failure(error)) => Some(error),
            _ => None,
        }
    }
}
