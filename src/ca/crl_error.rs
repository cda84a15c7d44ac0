//! Why a CRL was not signed, beyond what certificates know.

use crate::blueprint::Oid;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlFault {
    /// nextUpdate is not after thisUpdate.
    #[error("expected a next update after this update of the CRL, found none")]
    EmptyValidity,
    /// One serial number in two of the new entries.
    #[error("expected each serial number once, found one in two entries")]
    Twice,
    /// Only delta CRLs take an entry back this way (RFC 5280 section 5.3.1).
    #[error("expected a reason for a revocation, found removeFromCRL, which is for delta CRLs only")]
    RemoveFromCrl,
    /// The CRL before is a delta, or speaks only of some certificates or of other issuers'.
    #[error("expected a CRL that speaks of every certificate of its issuer, found a partial, indirect or delta one")]
    NotFull,
    /// The CRL before has an unknown critical extension.
    #[error("expected a CRL without critical extensions of its own, found {0}")]
    UnknownCritical(Oid),
    /// The CRL before has an entry that is not well-formed, or with an unknown critical extension.
    #[error("expected a CRL of entries that are understood, found one that is not")]
    Entry,
    /// The number is not above the one before (RFC 5280 section 5.2.3).
    #[error("expected a CRL number above the one before, found one that is not")]
    NotNewer,
    /// The number before is negative or too long to count on from.
    #[error("expected a CRL number from 0 to 2^159, found another")]
    OldNumber,
}
