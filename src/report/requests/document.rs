use serde::Serialize;

use crate::report::certificate::Facts;
use crate::report::restart::Restart;
use crate::tree::{EntryId, Origin};

/// Which of the three it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum Verb {
    #[default]
    #[serde(rename = "CsrReport")]
    Csr,
    #[serde(rename = "SignReport")]
    Sign,
    #[serde(rename = "ImportReport")]
    Import,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    #[serde(rename = "kind")]
    pub verb: Verb,
    /// The tree; `None`: there is none (an authority was given by its files).
    pub directory: Option<String>,
    /// The tree that commands are about, if there is one.
    #[serde(skip)]
    pub tree: Option<Origin>,
    /// Where the requests are, if not in the tree.
    #[serde(skip)]
    pub out: Option<String>,
    /// `--dry-run`: nothing was written.
    pub dry_run: bool,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    pub entries: Vec<RequestEntry>,
    pub restart: Vec<Restart>,
    pub warnings: Vec<String>,
    /// What others have to do before it is in place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// One request or certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequestEntry {
    /// Of the entry; a request without one is called after its file.
    #[serde(flatten)]
    pub id: EntryId,
    /// `request`, `keep`, `sign`, `import`, `wait`, `left`, `skip`.
    pub action: &'static str,
    pub algorithm: Option<String>,
    pub asked: Option<RequestedFacts>,
    /// What was issued, or put in place.
    #[serde(rename = "certificate")]
    pub facts: Option<Facts>,
    /// What was there before.
    #[serde(rename = "replaces")]
    pub old: Option<Facts>,
    /// What the request asked for and did not get.
    pub refused: Vec<String>,
    /// What it got without asking.
    pub added: Vec<String>,
    pub reasons: Vec<String>,
    pub paths: Vec<String>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestedFacts {
    pub subject: String,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    pub authority: bool,
}

impl Requests {
    /// How many entries ended this way.
    pub fn count(&self, action: &str) -> usize {
        self.entries.iter().filter(|entry| entry.action == action).count()
    }
}
