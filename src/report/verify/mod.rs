//! `kpki verify`: findings, the edges that were shaken, what was not looked at.

use time::OffsetDateTime;

use crate::verify::{Severity, Verification};

/// Everything that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    pub at: OffsetDateTime,
    pub clusters: Vec<Verification>,
}

impl Verify {
    /// The worst finding that counts.
    pub fn severity(&self) -> Option<Severity> {
        self.clusters.iter().filter_map(Verification::severity).max()
    }

    /// Something was not looked at.
    pub fn is_incomplete(&self) -> bool {
        self.clusters.iter().any(|cluster| !cluster.not_looked_at.is_empty())
    }
}
