//! Why bytes are not a certificate, or not extensions.

use x509_parser::error::X509Error;
use x509_parser::nom;

use crate::blueprint::Oid;
use crate::encoding::certificate::signed_parts;
use crate::encoding::found::{Found, found};
use crate::encoding::tlv::{self, Header, NotDer};

/// A certificate is a few kilobytes; a thousand SANs make 64 KB.
pub const LIMIT: usize = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// More bytes than [`LIMIT`].
    #[error("expected a certificate of at most {LIMIT} bytes, found {found}")]
    TooLarge { found: usize },
    /// Not the three parts of a certificate, or something stands before, inside or after it that does not belong there.
    #[error("expected the DER of one certificate, found something else or more")]
    Malformed,
    /// Something else that is known.
    #[error("expected the DER of one certificate, found {0}")]
    Other(Found),
    /// It ends before its own length says.
    #[error("expected a certificate of {expected} bytes, found {found}: its end is missing")]
    Truncated { expected: usize, found: usize },
    /// More behind it.
    #[error("expected a certificate of {expected} bytes, found {found}: more stands behind it")]
    Trailing { expected: usize, found: usize },
    /// A part that x509-parser refuses, and where it begins.
    #[error("expected a certificate with a well-formed {part} (at byte {at})")]
    Part { part: &'static str, at: usize },
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

impl ParseError {
    /// Of bytes that are not one certificate in three parts.
    pub fn not_one(bytes: &[u8]) -> Self {
        if let Some(other) = found(bytes).filter(|found| *found != Found::Certificate) {
            return Self::Other(other);
        }
        let Ok(Some(Header { tag: tlv::SEQUENCE, header, content })) = tlv::read_header(bytes) else {
            return Self::Malformed;
        };
        let (expected, found) = (header.saturating_add(content), bytes.len());
        match expected.cmp(&found) {
            std::cmp::Ordering::Greater => Self::Truncated { expected, found },
            // Only behind a certificate it is one with more behind it.
            std::cmp::Ordering::Less if bytes.get(..expected).is_some_and(|one| signed_parts(one).is_ok()) => {
                Self::Trailing { expected, found }
            }
            _ => Self::Malformed,
        }
    }

    /// Of a certificate in three parts: the field of TBSCertificate (RFC 5280 section 4.1) that is not as it has to be.
    pub fn in_part(der: &[u8], why: &nom::Err<X509Error>) -> Self {
        let stated = match why {
            nom::Err::Error(why) | nom::Err::Failure(why) => match why {
                X509Error::InvalidVersion => Some("version"),
                X509Error::InvalidSerial => Some("serial number"),
                X509Error::InvalidAlgorithmIdentifier => Some("signature algorithm"),
                X509Error::InvalidX509Name => Some("name"),
                X509Error::InvalidDate => Some("validity"),
                X509Error::InvalidSPKI => Some("public key"),
                X509Error::InvalidExtensions | X509Error::DuplicateExtensions => Some("list of extensions"),
                _ => None,
            },
            nom::Err::Incomplete(_) => None,
        };
        let Ok(fields) = fields(der) else { return Self::Malformed };
        let wrong = fields.iter().find(|(part, fits, _)| match stated {
            Some("name") => part.ends_with("name"),
            Some(stated) => *part == stated,
            None => !fits,
        });
        match wrong {
            Some((part, _, at)) => Self::Part { part, at: *at },
            None => Self::Part { part: stated.unwrap_or("signed part"), at: 0 },
        }
    }
}

/// The fields of TBSCertificate: what each is, whether it has its tag, and where it begins.
fn fields(der: &[u8]) -> Result<Vec<(&'static str, bool, usize)>, NotDer> {
    const PARTS: [(&str, u8); 6] = [
        ("serial number", tlv::INTEGER),
        ("signature algorithm", tlv::SEQUENCE),
        ("issuer name", tlv::SEQUENCE),
        ("validity", tlv::SEQUENCE),
        ("subject name", tlv::SEQUENCE),
        ("public key", tlv::SEQUENCE),
    ];
    let place = |inner: &[u8]| der.len() - inner.len();
    let (outer, _) = tlv::first(der)?;
    let (signed, _) = tlv::first(outer.content)?;
    // Where the content begins: the lengths of all that stands before it.
    let mut at = place(outer.content) + (signed.raw.len() - signed.content.len());
    let mut found = Vec::new();
    let mut parts = PARTS.into_iter().peekable();
    for element in tlv::elements(signed.content)? {
        let (part, fits) = match element.tag {
            tlv::CONTEXT_CONSTRUCTED => ("version", true),
            0xa3 => ("list of extensions", true),
            0x81 | 0x82 => ("unique identifier", true),
            tag => match parts.next() {
                Some((part, wanted)) if part == "validity" => (part, tag == wanted && is_validity(element.content)),
                Some((part, wanted)) => (part, tag == wanted),
                None => ("signed part", false),
            },
        };
        found.push((part, fits, at));
        at += element.raw.len();
    }
    if let Some((part, _)) = parts.next() {
        found.push((part, false, at));
    }
    Ok(found)
}

/// Two times.
fn is_validity(content: &[u8]) -> bool {
    tlv::elements(content).is_ok_and(|times| {
        times.len() == 2 && times.iter().all(|time| matches!(time.tag, tlv::UTC_TIME | tlv::GENERALIZED_TIME))
    })
}
