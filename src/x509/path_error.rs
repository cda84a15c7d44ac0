//! What is wrong with a certification path, by its place in RFC 5280.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::clock::rfc3339;
use crate::x509::VerifyError;
use crate::x509::name_constraints::ForbiddenName;
use crate::x509::policies::PolicyError;
use crate::x509::revocation::{Answer, Status};

/// Why no path is valid: what is wrong with the one that came furthest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// No names lead to an anchor.
    #[error("expected an issuer that leads to a trusted authority, found `{issuer}`")]
    NoPath { issuer: Name },
    #[error("{part} `{subject}`: {violation}")]
    Invalid {
        part: Part,
        /// Certificates above it: the anchor has none.
        depth: usize,
        subject: Name,
        #[source]
        violation: Violation,
    },
}

/// Where in a path a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Anchor,
    Intermediate,
    Leaf,
}

/// A rule that a certificate breaks, by its place in RFC 5280.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// 6.1.3 (a)(1) and (4).
    #[error("{0}")]
    Signature(#[source] VerifyError),
    /// 6.1.4 (k).
    #[error("expected an authority, found none (basicConstraints)")]
    NotAuthority,
    /// 6.1.4 (n).
    #[error("expected the key usage keyCertSign, found none")]
    NoKeyCertSign,
    /// 6.1.4 (l): one authority more than those above it allow.
    #[error("one authority more than those above it allow (pathLenConstraint)")]
    PathLength,
    /// 6.1.3 (b) and (c): the name constraints of an authority above it.
    #[error(transparent)]
    Forbidden(ForbiddenName),
    /// 6.1.3 (d) to (f), 6.1.4 (a) and (b), 6.1.5 (g).
    #[error(transparent)]
    Policy(PolicyError),
    /// 6.1.4 (o), 6.1.5 (f).
    #[error("expected only known critical extensions, found {0}")]
    UnknownCritical(Oid),
    /// An extension that restricts paths in a way not evaluated here.
    #[error("expected no constraint that kpki does not evaluate, found {0}")]
    Unevaluated(Oid),
    /// 6.1.3 (a)(2).
    #[error("not valid before {}", rfc3339(*.not_before))]
    NotYetValid { not_before: OffsetDateTime },
    /// 6.1.3 (a)(2).
    #[error("expired at {}", rfc3339(*.not_after))]
    Expired { not_after: OffsetDateTime },
    /// 6.1.3 (a)(3): revoked, held or unknown.
    #[error("{}", refusal(&.0.status))]
    Revocation(Box<Answer>),
}

const fn refusal(status: &Status) -> &'static str {
    match status {
        Status::Revoked(_) => "revoked",
        Status::Held(_) => "on hold",
        Status::Good | Status::Unknown => "may be revoked: no CRL covers it",
    }
}

impl Violation {
    /// Rules are judged in this order over the whole path: an intermediate that has only expired did sign what is below it.
    pub(super) const fn stage(&self) -> u8 {
        match self {
            Self::Signature(_) => 0,
            Self::NotAuthority | Self::NoKeyCertSign | Self::PathLength => 1,
            Self::Forbidden(_) | Self::Policy(_) | Self::UnknownCritical(_) | Self::Unevaluated(_) => 2,
            Self::NotYetValid { .. } | Self::Expired { .. } => 3,
            Self::Revocation(_) => 4,
        }
    }
}

impl PathError {
    /// Every signature is valid, and only dates are wrong: the leaf's issuer was allowed to sign at another time.
    pub const fn is_about_dates(&self) -> bool {
        matches!(self, Self::Invalid { violation: Violation::Expired { .. } | Violation::NotYetValid { .. }, .. })
    }
}

impl PathError {
    /// An authority of the path may not sign this certificate, however often it does.
    pub const fn is_about_rights(&self) -> bool {
        use Violation::{Forbidden, NoKeyCertSign, NotAuthority, PathLength, Policy};
        matches!(
            self,
            Self::Invalid { violation: Forbidden(_) | NoKeyCertSign | NotAuthority | PathLength | Policy(_), .. }
        )
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anchor => "authority",
            Self::Intermediate => "intermediate",
            Self::Leaf => "certificate",
        })
    }
}
