//! What `kpki csr`, `kpki sign` and `kpki import` did: requests that were written, certificates that were issued for them,
//! and certificates that were put in place.

mod document;
mod table;

use time::OffsetDateTime;

use super::renew::Restart;
use super::{Facts, Form, Width, json, yaml};

/// Which of the three it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Csr,
    Sign,
    Import,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    pub verb: Verb,
    /// The tree; `None`: there is none (an authority was given by its files).
    pub directory: Option<String>,
    /// `--dry-run`: nothing was written.
    pub dry_run: bool,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    pub entries: Vec<Entry>,
    pub restart: Vec<Restart>,
    pub warnings: Vec<String>,
}

/// One request or certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub node: Option<String>,
    /// The entry's name, or for a request without one the file's.
    pub name: String,
    /// `request`, `keep`, `sign`, `import`, `left`, `skip`.
    pub action: &'static str,
    pub algorithm: Option<String>,
    pub asked: Option<Asks>,
    /// What was issued, or put in place.
    pub facts: Option<Facts>,
    /// What was there before.
    pub old: Option<Facts>,
    /// What the request asked for and did not get.
    pub refused: Vec<String>,
    /// What it got without asking.
    pub added: Vec<String>,
    pub reasons: Vec<String>,
    pub paths: Vec<String>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    pub subject: String,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    pub authority: bool,
}

impl Entry {
    fn id(&self) -> String {
        match &self.node {
            Some(node) => format!("{node}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Requests {
    /// How many entries ended this way.
    pub fn count(&self, action: &str) -> usize {
        self.entries.iter().filter(|entry| entry.action == action).count()
    }

    /// Ends with a newline. `now`: what "in 364d" is counted from.
    pub fn render(&self, form: Form, now: OffsetDateTime, width: Width) -> String {
        match form {
            Form::Table => table::render(self, now, width, false),
            Form::Wide => table::render(self, now, width, true),
            Form::Json => json::text(&document::value(self)),
            Form::Yaml => yaml::render(&document::value(self)),
        }
    }
}
