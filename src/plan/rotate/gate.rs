//! When the next step of a rotation, forth or back, may be done: a node that has not the present phase in force, a wait that is not over, and what
//! of the old authority is still alive each keep it closed. Every reason is told, with until when.

use time::{Duration, OffsetDateTime};

use crate::clock::Span;

/// N is begun 5 minutes before it is made; a clock may be as far behind as this from then.
pub const CLOCKS: Duration = Duration::minutes(10);

/// A certificate of the old authority that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alive {
    /// As the journal or the tree names it.
    pub name: String,
    pub ends: OffsetDateTime,
}

/// What is known when a step is asked for.
#[derive(Debug, Clone)]
pub struct Facts {
    /// One of the two authorities is trusted no more after the step.
    pub gives_up: bool,
    /// When the phase began.
    pub since: OffsetDateTime,
    pub now: OffsetDateTime,
    /// At least so long from `since`.
    pub wait: Span,
    /// notBefore of the new authority's certificate; a service account key has none.
    pub begins: Option<OffsetDateTime>,
    /// The nodes that have not confirmed the phase.
    pub unconfirmed: Vec<String>,
    /// What does not trust, or sign with, what the phase wants.
    pub behind: Vec<String>,
    /// The latest possible end of a kubelet's certificate of the old authority, where kubelets are waited for.
    pub kubelets: Option<OffsetDateTime>,
    pub alive: Vec<Alive>,
}

/// Why the step may not be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// These nodes have not confirmed.
    Unconfirmed(Vec<String>),
    /// These files are to be written again first.
    Behind(Vec<String>),
    /// The wait of the profile.
    Wait(OffsetDateTime),
    /// Clocks that are behind do not believe the new authority's certificate yet.
    Clocks(OffsetDateTime),
    /// Kubelets may use certificates of the old authority until then.
    Kubelets(OffsetDateTime),
    /// Certificates of the old authority that are still valid.
    Alive(Vec<Alive>),
}

impl Closed {
    /// The option that goes past it; `None`: none does.
    pub const fn option(&self) -> Option<&'static str> {
        match self {
            Self::Unconfirmed(_) => Some("--confirm-all"),
            Self::Behind(_) => None,
            Self::Wait(_) | Self::Clocks(_) | Self::Kubelets(_) | Self::Alive(_) => Some("--not-before-override"),
        }
    }

    /// Until when it is closed, where time alone opens it.
    pub const fn until(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Wait(at) | Self::Clocks(at) | Self::Kubelets(at) => Some(*at),
            Self::Unconfirmed(_) | Self::Behind(_) | Self::Alive(_) => None,
        }
    }
}

/// Everything that keeps the next step closed; empty: it may be done.
pub fn closed(facts: &Facts) -> Vec<Closed> {
    let ahead = |at: &OffsetDateTime| *at > facts.now;
    let is_last = facts.gives_up;
    let mut all = Vec::new();
    if !facts.unconfirmed.is_empty() {
        all.push(Closed::Unconfirmed(facts.unconfirmed.clone()));
    }
    if !facts.behind.is_empty() {
        all.push(Closed::Behind(facts.behind.clone()));
    }
    all.extend(Some(facts.since.saturating_add(facts.wait.duration())).filter(ahead).map(Closed::Wait));
    let begins = facts.begins.filter(|_| !is_last).map(|begins| begins.saturating_add(CLOCKS));
    all.extend(begins.filter(ahead).map(Closed::Clocks));
    all.extend(facts.kubelets.filter(|at| is_last && ahead(at)).map(Closed::Kubelets));
    let alive: Vec<Alive> = facts.alive.iter().filter(|one| is_last && ahead(&one.ends)).cloned().collect();
    if !alive.is_empty() {
        all.push(Closed::Alive(alive));
    }
    all
}

/// From when on time does not stand in the way any more.
pub fn opens(closed: &[Closed], now: OffsetDateTime) -> OffsetDateTime {
    closed.iter().filter_map(Closed::until).max().unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::rotation::Phase;
    use time::macros::datetime;

    const SINCE: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    fn facts(phase: Phase, minutes: i64) -> Facts {
        Facts {
            gives_up: phase != Phase::Prepared,
            since: SINCE,
            now: SINCE + Duration::minutes(minutes),
            wait: Span::hours(1),
            begins: Some(SINCE - Duration::minutes(5)),
            unconfirmed: Vec::new(),
            behind: Vec::new(),
            kubelets: None,
            alive: Vec::new(),
        }
    }

    #[test]
    fn a_step_waits_for_each_of_its_conditions() {
        let at = |minutes| SINCE + Duration::minutes(minutes);
        let node = || vec!["cp1".to_owned()];
        let user = |minutes| Alive { name: "anna".to_owned(), ends: at(minutes) };
        let (prepared, switched) = (Phase::Prepared, Phase::Switched);
        for (facts, expected) in [
            (facts(prepared, 0), vec![Closed::Wait(at(60)), Closed::Clocks(at(5))]),
            (facts(prepared, 5), vec![Closed::Wait(at(60))]),
            (facts(prepared, 59), vec![Closed::Wait(at(60))]),
            (facts(prepared, 60), vec![]),
            (Facts { wait: Span::seconds(0), ..facts(prepared, 4) }, vec![Closed::Clocks(at(5))]),
            (Facts { begins: None, wait: Span::seconds(0), ..facts(prepared, 0) }, vec![]),
            (Facts { unconfirmed: node(), ..facts(prepared, 60) }, vec![Closed::Unconfirmed(node())]),
            (Facts { behind: node(), ..facts(prepared, 60) }, vec![Closed::Behind(node())]),
            // What is of the old authority has to be gone before the retirement, not before the switch.
            (Facts { alive: vec![user(99)], kubelets: Some(at(99)), ..facts(prepared, 60) }, vec![]),
            (Facts { alive: vec![user(99)], ..facts(switched, 60) }, vec![Closed::Alive(vec![user(99)])]),
            (Facts { alive: vec![user(60)], ..facts(switched, 60) }, vec![]),
            (Facts { kubelets: Some(at(61)), ..facts(switched, 60) }, vec![Closed::Kubelets(at(61))]),
            (Facts { kubelets: Some(at(60)), ..facts(switched, 60) }, vec![]),
            (facts(switched, 0), vec![Closed::Wait(at(60))]),
        ] {
            assert_eq!(closed(&facts), expected, "{facts:?}");
        }
    }

    #[test]
    fn the_last_of_several_instants_opens_it() {
        let at = |minutes| SINCE + Duration::minutes(minutes);
        assert_eq!(opens(&[Closed::Wait(at(60)), Closed::Kubelets(at(90)), Closed::Alive(vec![])], SINCE), at(90));
        assert_eq!(opens(&[Closed::Unconfirmed(vec![])], SINCE), SINCE);
    }
}
