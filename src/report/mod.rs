//! Outcomes as plain data, and one file per form they can be shown in. Verbs fill these; nothing here decides or prints.

mod check;
pub mod convert;
pub mod crl;
pub mod crl_readers;
pub mod export;
pub mod facts;
pub mod history;
pub mod inspect;
mod json;
pub mod renew;
pub mod requests;
pub mod restarts;
pub mod revoke;
mod table;
mod yaml;

use time::OffsetDateTime;

pub use check::{Check, CheckForm, Line, Selection, Sort, Tone, human};
pub use json::value;
pub use table::{is_harmless, sanitised};
pub use yaml::render as yaml;

/// The forms of `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Wide,
    Json,
    Yaml,
}

/// How wide the reader's screen is; `None`: not a terminal, lines are never wrapped.
pub type Width = Option<u16>;

/// What `kpki init` did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    pub directory: String,
    pub cluster: String,
    pub layout: &'static str,
    /// The node of a one-node tree.
    pub node: Option<String>,
    pub outcome: Outcome,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    pub items: Vec<Item>,
    pub warnings: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was made.
    Created,
    /// What was missing was added, what did not fit was replaced.
    Completed,
    /// Everything was there and fits.
    Unchanged,
    /// `--dry-run`.
    Planned,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Completed => "completed",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
        }
    }
}

/// One entry of the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Item {
    pub node: Option<String>,
    pub name: String,
    pub action: &'static str,
    pub algorithm: Option<String>,
    pub facts: Option<Facts>,
    /// Below the directory, or absolute for the kubelet's own.
    pub paths: Vec<String>,
    /// Why it is replaced.
    pub reasons: Vec<String>,
}

/// What a certificate says. A planned one has no serial yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub subject: String,
    pub issuer: String,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub serial: Option<String>,
    pub fingerprint: Option<String>,
}

impl Init {
    /// The whole report in one form, ending with a newline. `now`: what "in 364d" is counted from.
    pub fn render(&self, form: Form, now: OffsetDateTime, width: Width) -> String {
        match form {
            Form::Table => table::init(self, now, width, false),
            Form::Wide => table::init(self, now, width, true),
            Form::Json => json::text(&value(self)),
            Form::Yaml => yaml::render(&value(self)),
        }
    }
}
