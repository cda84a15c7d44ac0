//! A failure as shown to the user.

use std::fmt;

use super::exit::Exit;

/// A failure with its message, causes and hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What could not be done, with the name and path: lower case, no full stop.
    pub what: String,
    /// The chain of causes, nearest first; each adds a fact.
    pub why: Vec<String>,
    /// The next steps; each starts with a verb.
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

    /// Causes with their hints, without repetition.
    #[must_use]
    pub fn causes(mut self, all: impl IntoIterator<Item = (String, impl Into<String>)>) -> Self {
        for (why, hint) in all {
            let hint = hint.into();
            if !self.why.contains(&why) {
                self.why.push(why);
            }
            if !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        self.why.iter().try_for_each(|why| write!(f, ": {why}"))
    }
}

/// Its causes are text, not errors.
impl std::error::Error for Error {}
