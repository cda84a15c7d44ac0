//! What keeps a CRL from being believed, or from being believed fully.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::clock::rfc3339;
use crate::x509::VerifyError;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    // Of these the CRL is not looked at further.
    /// It is about another authority's certificates.
    OtherIssuer(Name),
    /// The issuer's key did not sign it.
    NotSigned(VerifyError),
    /// The signer's keyUsage lacks cRLSign: refused, or reported only, as strictness says.
    MayNotSign,
    /// An unknown critical extension (RFC 5280 section 5.2).
    UnknownCritical(Oid),
    /// The same in an entry (section 5.3), be it about another certificate.
    UnknownCriticalInEntry,
    /// It speaks of other issuers' certificates too (section 5.2.5).
    Indirect,
    /// thisUpdate is in the future.
    NotYetValid { this_update: OffsetDateTime },
    /// It speaks of authorities only and this is none, or the other way round, or of attribute certificates.
    OtherKind,
    /// This serial number was not looked up in it: a mistake of the caller.
    NotAsked,
    // These may name a certificate, but their silence means nothing.
    /// It says only what changed (section 5.2.4).
    Delta,
    /// It is for one distribution point, or for some reasons only.
    Partial,
    /// Negative, or longer than 20 octets (section 5.2.3).
    Number,
    /// Strict: without a CRL number an old CRL cannot be distinguished from a newer one.
    NoNumber,
    /// nextUpdate is in the past.
    Stale { next_update: OffsetDateTime },
    /// It never ends: somebody may show an old one for ever (section 5.1.2.5 wants one).
    NoNextUpdate,
    // About the certificate's own entry.
    /// It stands there more than once; the worst entry counts.
    Twice,
    /// Only a delta may take an entry back (section 5.3.1), and here nothing is taken back.
    RemoveFromCrl,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherIssuer(name) => write!(f, "expected a CRL of the certificate's issuer, found one of `{name}`"),
            Self::NotSigned(why) => write!(f, "the CRL is not the issuer's: {why}"),
            Self::MayNotSign => f.write_str("expected a signer with the key usage cRLSign, found one without"),
            Self::UnknownCritical(oid) => {
                write!(f, "expected no critical extensions but the known, found {oid} in the CRL")
            }
            Self::UnknownCriticalInEntry => {
                f.write_str("expected no critical extensions but the known, found another in an entry of the CRL")
            }
            Self::Indirect => f.write_str("expected a CRL about its issuer's certificates, found an indirect one"),
            Self::NotYetValid { this_update } => write!(f, "the CRL is not valid before {}", rfc3339(*this_update)),
            Self::OtherKind => f.write_str("expected a CRL about certificates of this kind, found one about others"),
            Self::NotAsked => f.write_str("the CRL was not searched for this serial number"),
            Self::Delta => f.write_str("expected a full CRL, found a delta"),
            Self::Partial => f.write_str("expected a full CRL, found one for a distribution point or some reasons"),
            Self::Number => f.write_str("expected a CRL number from 0 to 2^159, found another"),
            Self::NoNumber => f.write_str("expected a CRL number, found none"),
            Self::Stale { next_update } => write!(f, "the CRL went stale at {}", rfc3339(*next_update)),
            Self::NoNextUpdate => f.write_str("expected a CRL with a next update, found one that never goes stale"),
            Self::Twice => f.write_str("expected each serial number once in the CRL, found this one again"),
            Self::RemoveFromCrl => {
                f.write_str("expected a reason for the revocation, found removeFromCRL, which is not acted upon")
            }
        }
    }
}
