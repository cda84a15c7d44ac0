//! Pure: facts and a policy at one instant give findings, the worst first, and what to do about them.

use time::OffsetDateTime;

use crate::clock::Span;
use crate::inventory::Item;

/// Ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Ok,
    Warning,
    Critical,
    Expired,
    NotYetValid,
    Missing,
    Unreadable,
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
}
