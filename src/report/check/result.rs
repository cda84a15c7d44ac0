//! What was found, and what of it is to be shown.

use serde::Serialize;
use time::OffsetDateTime;

use crate::audit::{Advice, Judged, JudgedTree, State, Verdict};
use crate::clock::Span;

/// Every tree that was looked at, judged at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub at: OffsetDateTime,
    /// The instant was asked for: the report says so.
    pub as_of: bool,
    pub trees: Vec<JudgedTree>,
    /// Over everything, whatever is selected to be shown.
    pub verdict: Verdict,
    pub advice: Vec<Advice>,
    pub selection: Selection,
    pub interruptions: Vec<Interruption>,
}

/// What an interrupted run left in a tree: completed by this one, or still to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interruption {
    pub directory: String,
    #[serde(rename = "message")]
    pub text: String,
    /// Somebody has to act; the verdict is a warning at least.
    pub open: bool,
}

impl Check {
    /// All of them, whatever is selected.
    pub(super) fn items(&self) -> impl Iterator<Item = (&JudgedTree, &Judged)> {
        self.trees.iter().flat_map(|tree| tree.items.iter().map(move |judged| (tree, judged)))
    }
}

/// `--sort`, `--only`, `--within`, `--top`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub sort: Sort,
    /// Empty: every state.
    pub only: Vec<State>,
    /// Only what ends within this time, has ended already, or has no known end although it should.
    pub within: Option<Span>,
    /// The worst so many.
    pub top: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// As kubeadm does.
    #[default]
    Name,
    /// By expiry, earliest first.
    Expiry,
    /// By state, most urgent first.
    State,
}

/// A line for people, with the state it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// A headline.
    Strong,
    Good,
    Warning,
    Bad,
}

impl Tone {
    pub const fn of(state: State) -> Self {
        match state {
            State::Absent | State::Ok => Self::Plain,
            State::Warning => Self::Warning,
            _ => Self::Bad,
        }
    }
}

impl Line {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    pub(super) fn strong(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Strong }
    }
}
