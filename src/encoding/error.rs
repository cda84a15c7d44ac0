//! Why a blueprint cannot be written as DER.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Oid, San};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeError {
    /// Not a dotted decimal object identifier of two or more arcs (X.660), each below 2^120.
    Oid(Oid),
    /// Outside the years 0 to 9999 that GeneralizedTime can write (RFC 5280 section 4.1.2.5.2).
    Year(OffsetDateTime),
    /// A DNS name, email or URI outside ASCII: IA5String has nothing else (RFC 5280 section 4.2.1.6).
    NotAscii(San),
    /// [`San::Other`] that is not exactly one DER element.
    OtherName { bytes: usize },
    /// An RDN without attributes (RFC 5280 section 4.1.2.4 asks for one or more).
    EmptyRdn,
    /// An attribute whose tag is not one octet with a primitive or constructed value.
    AttributeTag(u8),
    /// A serial number of a revoked certificate without octets, or with more than any certificate read here has.
    Serial { bytes: usize },
    /// Further extensions of a list's entry that are not whole Extension elements.
    OtherExtension { bytes: usize },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Oid(oid) => write!(f, "expected a dotted decimal object identifier, found `{oid}`"),
            Self::Year(at) => write!(f, "expected a year from 0 to 9999, found {}", at.year()),
            Self::NotAscii(san) => write!(f, "expected an ASCII subject alternative name, found `{san}`"),
            Self::OtherName { bytes } => {
                write!(f, "expected one DER element as the other name, found {bytes} bytes that are not")
            }
            Self::EmptyRdn => f.write_str("expected at least one attribute in every part of the subject, found none"),
            Self::AttributeTag(tag) => write!(f, "expected a tag of one octet for a name attribute, found 0x{tag:02x}"),
            Self::Serial { bytes } => write!(f, "expected a serial number of 1 to 64 bytes, found {bytes}"),
            Self::OtherExtension { bytes } => {
                write!(f, "expected whole extensions of an entry, found {bytes} bytes that are not")
            }
        }
    }
}

impl std::error::Error for EncodeError {}
