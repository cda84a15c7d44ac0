//! Pure: facts and a policy at one instant give findings, the worst first, and what to do about them.

mod advice;
mod judge;
mod policy;
#[cfg(test)]
mod tests;
mod verdict;

use time::OffsetDateTime;

use crate::clock::Span;
use crate::inventory::Item;

pub use advice::{Advice, COMPONENTS, Origin, Problem, REPAIR_ORDER, advice};
pub use judge::{judge, judge_tree, windows};
pub use policy::ThresholdError;
pub use verdict::{Counts, Verdict, verdict};

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Ok,
    Warning,
    Critical,
    Expired,
    /// Its authority's list names it, and may stop to.
    Held,
    /// Its authority's list names it.
    Revoked,
    NotYetValid,
    Missing,
    Unreadable,
}

impl State {
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Warning,
        Self::Critical,
        Self::Expired,
        Self::Held,
        Self::Revoked,
        Self::NotYetValid,
        Self::Missing,
        Self::Unreadable,
    ];

    /// As people say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotYetValid => "not yet valid",
            other => other.name(),
        }
    }

    /// As flags and machines say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
            Self::Expired => "expired",
            Self::Held => "held",
            Self::Revoked => "revoked",
            Self::NotYetValid => "not-yet-valid",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How near an end may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// This much time is left.
    Left(Span),
    /// This share of the lifetime is left, in percent.
    PercentLeft(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub warning: Threshold,
    pub critical: Threshold,
    pub ca_warning: Threshold,
    pub ca_critical: Threshold,
    /// renewal.before, so that a CA that ends before the leaves' next renewal is pointed out.
    pub renewal: Option<Threshold>,
}

/// One item judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub item: Item,
    pub state: State,
    /// Seconds until the end, negative once past; `None`: there is nothing to count to.
    pub residual: Option<i64>,
    pub expires: Option<OffsetDateTime>,
    /// What is worth knowing beside the state; changes no state.
    pub notes: Vec<Note>,
}

/// What an item's neighbours say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// The certificate claims to live longer than its CA: it is worth nothing from then on.
    OutlivesAuthority { until: OffsetDateTime },
    /// The CA ends before the certificates it would sign at their next renewal do: they will be cut short.
    CutsRenewalsShort { wanted: OffsetDateTime },
}

/// One tree, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedTree {
    /// The directory or file that was looked at.
    pub root: String,
    pub cluster: Option<String>,
    pub node: Option<String>,
    /// By what it was judged: profiles may differ.
    pub policy: Policy,
    /// Where a verb that repairs it finds its profile.
    pub origin: Origin,
    pub items: Vec<Judged>,
}
