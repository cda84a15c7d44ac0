//! Why a CRL was not signed, beyond what certificates know.

use std::fmt;

use crate::blueprint::Oid;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CrlFault {
    /// nextUpdate is not after thisUpdate.
    EmptyValidity,
    /// One serial number in two of the new entries.
    Twice,
    /// Only delta CRLs take an entry back this way (RFC 5280 section 5.3.1).
    RemoveFromCrl,
    /// The CRL before is a delta, or speaks only of some certificates or of other issuers'.
    NotFull,
    /// The CRL before has an unknown critical extension.
    UnknownCritical(Oid),
    /// The CRL before has an entry that is not well-formed, or with an unknown critical extension.
    Entry,
    /// The number is not above the one before (RFC 5280 section 5.2.3).
    NotNewer,
    /// The number before is negative or too long to count on from.
    OldNumber,
}

impl fmt::Display for CrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyValidity => f.write_str("expected a next update after this update of the CRL, found none"),
            Self::Twice => f.write_str("expected each serial number once, found one in two entries"),
            Self::RemoveFromCrl => {
                f.write_str("expected a reason for a revocation, found removeFromCRL, which is for delta CRLs only")
            }
            Self::NotFull => f.write_str(
                "expected a CRL that speaks of every certificate of its issuer, found a partial, indirect or delta one",
            ),
            Self::UnknownCritical(oid) => {
                write!(f, "expected a CRL without critical extensions of its own, found {oid}")
            }
            Self::Entry => f.write_str("expected a CRL of entries that are understood, found one that is not"),
            Self::NotNewer => f.write_str("expected a CRL number above the one before, found one that is not"),
            Self::OldNumber => f.write_str("expected a CRL number from 0 to 2^159, found another"),
        }
    }
}

impl std::error::Error for CrlFault {}
