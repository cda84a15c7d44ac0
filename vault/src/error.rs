//! What went wrong, why, and what helps; and the exit status that says whether another run may get it.

use std::fmt::{Display, Write as _};

use crate::text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It stays so until somebody changes something.
    Failed,
    /// Command line, environment or standard input.
    Usage,
    /// The server says that it can answer later. kpki takes this status of an issuer for: ask again.
    Later,
}

impl Exit {
    pub fn status(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Later => 75,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub what: String,
    pub causes: Vec<String>,
    pub hints: Vec<String>,
    pub exit: Exit,
}

impl Error {
    fn new(what: impl Into<String>, exit: Exit) -> Self {
        Self { what: what.into(), causes: Vec::new(), hints: Vec::new(), exit }
    }

    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Failed)
    }

    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Usage)
    }

    pub fn later(what: impl Into<String>) -> Self {
        Self::new(what, Exit::Later)
    }

    pub fn because(mut self, why: impl Display) -> Self {
        self.causes.push(why.to_string());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What was sent as a secret and came back does not reach the terminal.
    pub fn without(mut self, secrets: &[&str]) -> Self {
        let parts = [&mut self.what].into_iter().chain(&mut self.causes).chain(&mut self.hints);
        for part in parts {
            for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
                *part = part.replace(secret, "(secret)");
            }
        }
        self
    }

    /// As it is printed, a line for each part.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        let parts = [("error", &self.what)].into_iter();
        let parts = parts.chain(self.causes.iter().map(|why| ("caused by", why)));
        for (label, part) in parts.chain(self.hints.iter().map(|hint| ("hint", hint))) {
            // Writing to a string does not fail.
            let _ = writeln!(shown, "{label}: {}", text::sanitised(part));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_shows_a_secret_or_steers_a_terminal() {
        let error = Error::failed("refused s.token\u{1b}[2J").because("s.token again").hint("not s.token");
        let shown = error.without(&["s.token", ""]).shown();
        assert_eq!(shown, "error: refused (secret)\u{fffd}[2J\ncaused by: (secret) again\nhint: not (secret)\n");
    }

    #[test]
    fn statuses() {
        assert_eq!([Exit::Failed, Exit::Usage, Exit::Later].map(Exit::status), [1, 2, 75]);
    }
}
