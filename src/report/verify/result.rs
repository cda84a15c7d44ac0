//! Everything that was verified, as data.

use time::OffsetDateTime;

use crate::verify::inventory::Inventory;
use crate::verify::{Rule, Severity, Verification};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    pub at: OffsetDateTime,
    /// By which everything was judged, whether they found something or not.
    pub rules: Vec<&'static Rule>,
    pub clusters: Vec<Verification>,
    /// What is in each of the clusters, where it was asked for.
    pub inventories: Vec<Inventory>,
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

    /// In one word: the severity of the worst finding that counts; `incomplete` if there is none and something was not looked at.
    pub fn state(&self) -> &'static str {
        match self.severity() {
            Some(severity) => severity.name(),
            None if self.is_incomplete() => "incomplete",
            None => "ok",
        }
    }
}
