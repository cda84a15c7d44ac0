//! A revocation list as facts (RFC 5280 section 5), taken in piece by piece: the entries of a list with a million of them are
//! counted, never collected, so that its size costs time only.

use std::fmt;

use time::OffsetDateTime;

use crate::blueprint::{Name, Oid};
use crate::x509::crl_walk::SMALL;
pub use crate::x509::crl_walk::Walker;

/// What a revocation list says; entries are only counted.
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
    /// crlNumber in decimal (section 5.2.3).
    pub number: Option<String>,
    /// deltaCRLIndicator (section 5.2.4): it says only what changed.
    pub delta: bool,
    /// issuingDistributionPoint (section 5.2.5): it may not speak of every certificate.
    pub partial: bool,
    pub authority_key_id: Option<Vec<u8>>,
    /// Every extension in order, with its critical flag.
    pub extensions: Vec<(Oid, bool)>,
}

/// Why bytes are not a revocation list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlError {
    /// It ends before its own length says.
    Truncated,
    /// What stands in it is not DER, or not in the order of a revocation list.
    Frame(&'static str),
    /// A part that is short in every real list is longer than this program takes.
    TooLarge(&'static str),
    Trailing,
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("expected the whole of a CRL, found its end missing"),
            Self::Frame(part) => write!(f, "expected a CRL with a well-formed {part}"),
            Self::TooLarge(part) => write!(f, "expected a CRL with a {part} of at most {SMALL} bytes, found more"),
            Self::Trailing => f.write_str("expected one CRL, found more behind it"),
        }
    }
}

impl std::error::Error for CrlError {}

impl Crl {
    pub fn parse(der: &[u8]) -> Result<Self, CrlError> {
        let mut walker = Walker::default();
        walker.feed(der)?;
        walker.finish()
    }
}

#[cfg(test)]
#[path = "crl_tests.rs"]
mod tests;
