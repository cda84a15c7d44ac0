//! What was renewed and nobody has been told yet: `.kpki/pending.json`, written by the renewal's own transaction and removed when
//! the report and the deploy hooks are done. A run that was killed in between leaves it, and the next one goes on from there.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::tree::Tree;
use crate::commands::survey;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::renew::Credential;
use crate::store::{self, FileChange, RootId};

/// Below `.kpki/`.
const OWED: &str = "pending.json";

/// The ids of the entries, and the generation that keeps their old files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingNotifications {
    pub generation: String,
    pub entries: Vec<String>,
}

impl PendingNotifications {
    /// A file that is damaged owes nothing: there is nothing it could be read as.
    pub fn read(tree: &Tree<'_>) -> Result<Self, Error> {
        let Some(bytes) = survey::read(&tree.roots, RootId::State, &RelPath::parse(OWED)?)? else {
            return Ok(Self::default());
        };
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let entries = value.get("entries").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            generation: value.get("generation").and_then(Value::as_str).unwrap_or_default().to_owned(),
            entries: entries.filter_map(Value::as_str).map(str::to_owned).collect(),
        })
    }

    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// With what is renewed now.
    pub fn and(mut self, generation: &str, more: impl Iterator<Item = String>) -> Self {
        generation.clone_into(&mut self.generation);
        for id in more {
            if !self.entries.contains(&id) {
                self.entries.push(id);
            }
        }
        self
    }

    /// The tree's credentials it speaks of, whatever was named on the command line.
    pub fn credentials<'t>(&self, tree: &'t Tree<'_>) -> Vec<&'t Credential> {
        tree.all.iter().filter(|one| self.entries.contains(&one.id())).collect()
    }

    /// As a part of the transaction.
    pub fn change(&self) -> Result<FileChange, Error> {
        let text = json!({"generation": self.generation, "entries": self.entries}).to_string();
        Ok(FileChange {
            root: RootId::State,
            path: RelPath::parse(OWED)?,
            mode: 0o600,
            bytes: Zeroizing::new(text.into_bytes()),
            replace: true,
        })
    }

    /// What is still pending after a run, under its lock. When this is lost the next run tells it again.
    pub fn keep(&self, tree: &Tree<'_>) -> Result<(), Error> {
        if !self.is_empty() {
            let path = tree.roots.path_of(RootId::State, &RelPath::parse(OWED)?);
            return Ok(store::replace_file(&path, &self.change()?.bytes, 0o600)?);
        }
        let main = survey::open(&tree.roots.main)?;
        let state = main.map(|main| main.child(".kpki")).transpose()?.flatten();
        match state {
            Some(state) if state.facts(OWED)?.is_some() => Ok(state.remove_file(OWED)?),
            _ => Ok(()),
        }
    }
}
