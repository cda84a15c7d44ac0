//! Pending notifications: renewals without report and deploy hooks yet. `.kpki/owed.json` is written by the renewal's
//! transaction and removed when report and hooks are done. A run that was killed in between leaves it, and the next one
//! goes on from there.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::catalog::ENTRIES;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::renew::Credential;
use crate::store::{self, FileChange, RootId, Roots};
use crate::tree::EntryId;
use crate::workspace::survey;

/// Below `.kpki/`; the name is that of version 0.1.0.
const FILE: &str = "owed.json";

/// The ids of the entries, and the generation that keeps their old files: the oldest, where several runs were interrupted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PendingNotifications {
    pub generation: String,
    pub entries: Vec<String>,
    /// What restarted pods are marked with, where that is not the generation: a run that goes on from an interrupted one has its own,
    /// and so has a rollback. Empty: the generation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mark: String,
    /// A deploy hook failed and the old files are back: only the notifications that say so are left to do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rolled_back: bool,
}

impl PendingNotifications {
    /// A damaged file counts as absent.
    pub fn read(roots: &Roots) -> Result<Self, Error> {
        let bytes = survey::read(roots, RootId::State, &RelPath::parse(FILE)?)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
    }

    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What a restarted pod is marked with.
    pub fn mark(&self) -> &str {
        if self.mark.is_empty() { &self.generation } else { &self.mark }
    }

    /// With what is renewed now.
    pub fn and(mut self, generation: &str, more: impl Iterator<Item = String>) -> Self {
        if self.is_empty() || self.rolled_back {
            generation.clone_into(&mut self.generation);
            self.mark.clear();
        } else {
            generation.clone_into(&mut self.mark);
        }
        self.rolled_back = false;
        for id in more {
            if !self.entries.contains(&id) {
                self.entries.push(id);
            }
        }
        self
    }

    /// Those of the tree among them, independent of the names on the command line: credentials, authorities and sa.
    pub fn known(&self, credentials: &[Credential]) -> Vec<EntryId> {
        let held = credentials.iter().map(|one| one.id.clone());
        // `kpki unpack` brings these, too, of one node.
        let unsigned =
            ENTRIES.iter().filter(|entry| entry.signer.is_none()).map(|entry| EntryId::new(None, entry.name));
        unsigned.chain(held).filter(|id| self.entries.contains(&id.to_string())).collect()
    }

    /// As a part of the transaction.
    pub fn change(&self) -> Result<FileChange, Error> {
        let failed = |why| Error::new(format!("cannot write .kpki/{FILE}")).because(why);
        Ok(FileChange {
            root: RootId::State,
            path: RelPath::parse(FILE)?,
            mode: 0o600,
            bytes: Zeroizing::new(serde_json::to_vec(self).map_err(failed)?),
            replace: true,
        })
    }

    /// What is still pending after a run, under its lock. When this fails the next run notifies once more.
    pub fn keep(&self, roots: &Roots) -> Result<(), Error> {
        if !self.is_empty() {
            let path = roots.path_of(RootId::State, &RelPath::parse(FILE)?);
            return Ok(store::replace_file(&path, &self.change()?.bytes, 0o600)?);
        }
        let main = survey::open(&roots.main)?;
        let state = main.map(|main| main.child(".kpki")).transpose()?.flatten();
        match state {
            Some(state) if state.facts(FILE)?.is_some() => Ok(state.remove_file(FILE)?),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_mark_of_its_own() {
        let of = |pending: &PendingNotifications| (pending.generation.clone(), pending.mark().to_owned());
        let one = |name: &str| std::iter::once(name.to_owned());
        let both = |generation: &str, mark: &str| (generation.to_owned(), mark.to_owned());
        let first = PendingNotifications::default().and("1-renew", one("etcd-server"));
        assert_eq!(of(&first), both("1-renew", "1-renew"));
        let second = first.and("2-renew", one("apiserver"));
        assert_eq!(of(&second), both("1-renew", "2-renew"));
        let text = serde_json::to_string(&second).unwrap();
        assert_eq!(serde_json::from_str::<PendingNotifications>(&text).unwrap(), second);
        let rolled_back = PendingNotifications { rolled_back: true, ..second };
        assert_eq!(of(&rolled_back.and("3-renew", one("apiserver"))), both("3-renew", "3-renew"));
    }

    #[test]
    fn the_notifications_of_0_1_0_are_read_and_written_byte_for_byte() {
        let text = include_str!("../../fixtures/state/0.1.0/owed.json");
        let read: PendingNotifications = serde_json::from_str(text).unwrap();
        assert!(!read.is_empty() && read.generation.ends_with("-renew"));
        assert_eq!(*read.change().unwrap().bytes, text.as_bytes());
    }
}
