//! Why a blueprint cannot be written as DER.

use time::OffsetDateTime;

use crate::blueprint::{Oid, San};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Not a dotted decimal object identifier of two or more arcs (X.660), each below 2^120.
    #[error("expected a dotted decimal object identifier, found `{0}`")]
    Oid(Oid),
    /// Outside the years 0 to 9999 that GeneralizedTime can write (RFC 5280 section 4.1.2.5.2).
    #[error("expected a year from 0 to 9999, found {}", .0.year())]
    Year(OffsetDateTime),
    /// A DNS name, email or URI outside ASCII: IA5String has nothing else (RFC 5280 section 4.2.1.6).
    #[error("expected an ASCII subject alternative name, found `{0}`")]
    NotAscii(San),
    /// [`San::Other`] that is not exactly one DER element.
    #[error("expected one DER element as the other name, found {bytes} bytes that are not")]
    OtherName { bytes: usize },
    /// An RDN without attributes (RFC 5280 section 4.1.2.4 asks for one or more).
    #[error("expected at least one attribute in every part of the subject, found none")]
    EmptyRdn,
    /// An attribute whose tag is not one octet with a primitive or constructed value.
    #[error("expected a tag of one octet for a name attribute, found 0x{0:02x}")]
    AttributeTag(u8),
    /// A serial number of a revoked certificate without octets, or with more than any certificate read here has.
    #[error("expected a serial number of 1 to 64 bytes, found {bytes}")]
    Serial { bytes: usize },
    /// Further extensions of a list's entry that are not whole Extension elements.
    #[error("expected whole extensions of an entry, found {bytes} bytes that are not")]
    OtherExtension { bytes: usize },
    /// What is to get new dates is no TBSCertificate (RFC 5280 section 4.1).
    #[error("expected a certificate's signed part, found something else")]
    Tbs,
}
