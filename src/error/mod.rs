//! Where every noun's error becomes what a person reads: what could not be done, why, what to do next, and with which exit
//! status. The nouns' errors hold facts; the text is written here and nowhere else.

mod nouns;
mod plan;

use std::fmt;

pub use plan::{Context, difference, notices, refusal};

/// Exit statuses, one table for the whole program (README and man page show it).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Refused or failed; nothing was changed unless the message says so.
    Failed,
    /// The command line or the profile is wrong in form.
    Usage,
}

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

/// A failure, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What could not be done, with the name and path: lower case, no full stop.
    pub what: String,
    /// The chain of causes, nearest first; each adds a fact.
    pub why: Vec<String>,
    /// What to do next: each starts with a verb.
    pub hints: Vec<String>,
    pub exit: Exit,
}

impl Error {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), why: Vec::new(), hints: Vec::new(), exit: Exit::Failed }
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what) }
    }

    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.why.push(why.to_string());
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}
