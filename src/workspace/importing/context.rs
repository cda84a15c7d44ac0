//! The input of an import, and the result for one file.

use std::path::Path;

use super::candidates::Candidate;
use crate::catalog::CaId;
use crate::files::RelPath;
use crate::plan::renew::Credential;
use crate::report::facts::facts;
use crate::report::requests::RequestEntry;
use crate::store::{FileChange, RootId};
use crate::tree::{EntryId, Place, file};
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;

/// The tree, and every key that a certificate can be for.
pub struct Importing<'a> {
    pub session: &'a Session<'a>,
    pub snapshot: &'a Snapshot,
    pub candidates: Vec<Candidate>,
    /// Roots of an external authority, in place of those that the profile says.
    pub root: Option<&'a Path>,
}

impl Importing<'_> {
    pub fn file(&self, place: &Place) -> Option<&[u8]> {
        file(&self.snapshot.survey, Some(place))
    }
}

/// The result for one file.
#[derive(Debug, Default)]
pub struct Placed {
    pub entry: RequestEntry,
    pub certificate: Option<Certificate>,
    pub changes: Vec<FileChange>,
    pub removals: Vec<(RootId, RelPath)>,
    pub warnings: Vec<String>,
    /// Of an authority: the certificate before, and what kubeconfigs trusted by it.
    pub before: Option<Certificate>,
    pub trusting: Vec<(EntryId, FileChange)>,
    /// The new authority that signed it: it waits for the switch.
    pub waits: Option<CaId>,
}

pub(super) fn row(
    credential: &Credential,
    action: &'static str,
    leaf: &Certificate,
    old: Option<&Certificate>,
) -> RequestEntry {
    RequestEntry {
        id: credential.id.clone(),
        action,
        algorithm: Some(leaf.key.to_string()),
        facts: Some(facts(leaf)),
        old: old.map(facts),
        ..RequestEntry::default()
    }
}
