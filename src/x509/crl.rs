//! A CRL as facts (RFC 5280 section 5), taken in piece by piece: the entries of a CRL with a million of them are
//! counted, never collected, so that its size costs time only.

use std::ops::Range;

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::revocation::Number;
pub use crate::x509::crl_scope::Scope;

/// Names, extensions and signatures are kept while they are read.
pub const SMALL: usize = 1 << 20;

/// What a CRL says; entries are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    /// 1 or 2.
    pub version: u32,
    pub signature_algorithm: Oid,
    pub issuer: Name,
    pub issuer_der: Vec<u8>,
    pub this_update: OffsetDateTime,
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
    /// Where in the DER the entries begin and end; empty: there are none.
    pub entries_at: Range<u64>,
    /// cRLNumber: the content octets of the INTEGER, as they stand (section 5.2.3).
    pub number: Option<Vec<u8>>,
    /// deltaCRLIndicator (section 5.2.4): it has only changes.
    pub delta: bool,
    /// The base of a delta: the content octets of the INTEGER, as they stand.
    pub base_number: Option<Vec<u8>>,
    /// issuingDistributionPoint (section 5.2.5): it may not speak of every certificate.
    pub scope: Option<Scope>,
    /// The same, as it stands.
    pub distribution: Option<Vec<u8>>,
    pub authority_key_id: Option<Vec<u8>>,
    /// Every extension in order, with its critical flag.
    pub extensions: Vec<(Oid, bool)>,
    /// Unknown critical extensions: such a CRL decides nothing (section 5.2).
    pub unknown_critical: Vec<Oid>,
}

/// Why bytes are not a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CrlError {
    /// It ends before its own length says.
    #[error("expected the whole of a CRL, found its end missing")]
    Truncated,
    /// What stands in it is not DER, or not in the order of a CRL.
    #[error("expected a CRL with a well-formed {0}")]
    Malformed(&'static str),
    /// A part that is short in every real CRL is longer than this program takes.
    #[error("expected a CRL with a {0} of at most {SMALL} bytes, found more")]
    TooLarge(&'static str),
    #[error("expected one CRL, found more behind it")]
    Trailing,
}

impl Crl {
    /// The number; `None`: without one, or with one that is negative or too long.
    pub fn edition(&self) -> Option<Number> {
        self.number.as_deref().and_then(Number::of_content)
    }

    /// The number of the full CRL that a delta starts from.
    pub fn base(&self) -> Option<Number> {
        self.base_number.as_deref().and_then(Number::of_content)
    }

    /// Its entries in the DER it was read from, whole elements one behind the other.
    pub fn entries_in<'d>(&self, der: &'d [u8]) -> &'d [u8] {
        let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        der.get(bound(self.entries_at.start)..bound(self.entries_at.end)).unwrap_or_default()
    }
}
