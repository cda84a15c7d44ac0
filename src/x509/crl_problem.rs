//! What keeps a CRL from being believed, or from being believed fully.

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::clock::rfc3339;
use crate::x509::VerifyError;

impl Problem {
    /// Programs that read the CRL refuse it, whichever certificate they ask about.
    pub const fn is_refused(&self) -> bool {
        matches!(
            self,
            Self::OtherIssuer(_)
                | Self::NotSigned(_)
                | Self::UnknownCritical(_)
                | Self::UnknownCriticalInEntry
                | Self::Indirect
                | Self::Number
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    // Of these the CRL is not looked at further.
    /// It is about another authority's certificates.
    #[error("expected a CRL of the certificate's issuer, found one of `{0}`")]
    OtherIssuer(Name),
    /// The issuer's key did not sign it.
    #[error("the CRL is not the issuer's: {0}")]
    NotSigned(VerifyError),
    /// The signer's keyUsage lacks cRLSign: refused, or reported only, as strictness says.
    #[error("expected a signer with the key usage cRLSign, found one without")]
    MayNotSign,
    /// An unknown critical extension (RFC 5280 section 5.2).
    #[error("expected no critical extensions but the known, found {0} in the CRL")]
    UnknownCritical(Oid),
    /// The same in an entry (section 5.3), be it about another certificate.
    #[error("expected no critical extensions but the known, found another in an entry of the CRL")]
    UnknownCriticalInEntry,
    /// An entry is about another issuer's certificate, and the CRL does not say that it has such (sections 5.2.5, 5.3.3).
    #[error("expected a CRL about its issuer's certificates, found an indirect one")]
    Indirect,
    /// thisUpdate is in the future.
    #[error("the CRL is not valid before {}", rfc3339(*.this_update))]
    NotYetValid { this_update: OffsetDateTime },
    /// It speaks of authorities only and this is none, or the other way round, or of attribute certificates.
    #[error("expected a CRL about certificates of this kind, found one about others")]
    OtherKind,
    /// This serial number was not looked up in it: a mistake of the caller.
    #[error("the CRL was not searched for this serial number")]
    NotAsked,
    // These may name a certificate, but their silence means nothing.
    /// It says only what changed (section 5.2.4).
    #[error("expected a full CRL, found a delta")]
    Delta,
    /// It is for one distribution point, or for some reasons only: its silence counts for a certificate that names the point, and
    /// for these reasons.
    #[error("expected a full CRL, found one for a distribution point or some reasons")]
    Partial,
    /// Negative, or longer than 20 octets (section 5.2.3).
    #[error("expected a CRL number from 0 to 2^159, found another")]
    Number,
    /// Strict: without a CRL number an old CRL cannot be distinguished from a newer one.
    #[error("expected a CRL number, found none")]
    NoNumber,
    /// nextUpdate is in the past.
    #[error("the CRL went stale at {}", rfc3339(*.next_update))]
    Stale { next_update: OffsetDateTime },
    /// It never ends: somebody may show an old one for ever (section 5.1.2.5 wants one).
    #[error("expected a CRL with a next update, found one that never goes stale")]
    NoNextUpdate,
    // About the certificate's own entry.
    /// It stands there more than once; the worst entry counts.
    #[error("expected each serial number once in the CRL, found this one again")]
    Twice,
    /// Only a delta of a full CRL may take an entry back, and only a hold (section 5.3.1).
    #[error("expected a reason for the revocation, found removeFromCRL, which is not acted upon")]
    RemoveFromCrl,
}
