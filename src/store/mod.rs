//! A tree on disk as a whole: published all or nothing.
//!
//! **Create.** Into an absent or empty place, the tree is made in a sibling directory nobody else can enter, synced, and
//! put in place by one rename. A part of a tree is never visible.
//!
//! **Merge.** Into a tree that exists, directories are never swapped: a running pod that mounts one would go on seeing the
//! old. Every new file is written beside the tree and synced, every file about to be replaced is kept in a generation,
//! then one rename of a manifest decides: that is the commit mark. From there on the files are renamed into place one by
//! one, those that are to go are removed, the journal gets its lines, and the mark is removed. A run that finds a mark
//! finishes the work; one that finds none removes what was prepared.
//!
//! Below a root no symlink is followed, and every error before the decision leaves the disk as it was.

mod check;
mod clear;
mod create;
mod created_dirs;
mod error;
mod forward;
mod generation;
mod journal;
mod kept;
mod lock;
mod mark;
mod merge;
mod recover;
mod replace;
mod stage;
mod step;
mod transaction;
mod tree;
mod trust;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::files::RelPath;

pub use check::check_writable;
pub use error::StoreError;
pub use generation::{Generation, PriorFile, before, before_of, generations};
pub use journal::journal;
pub use lock::TreeLock;
pub use recover::{Recovery, interrupted, pending, recover};
pub use replace::replace_file;
pub use transaction::publish;
pub use trust::{check_own, own};

/// Which directory a path is relative to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RootId {
    Main,
    /// A directory outside the main one, such as `/var/lib/kubelet/pki`.
    Kubelet,
    /// What kpki remembers for itself: `.kpki` in the main directory.
    State,
}

impl RootId {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Kubelet => "kubelet",
            Self::State => "state",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Main, Self::Kubelet, Self::State].into_iter().find(|root| root.name() == name)
    }
}

/// Where the tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roots {
    pub main: PathBuf,
    pub kubelet: Option<PathBuf>,
}

impl Roots {
    /// The path of a file, for messages; the main directory stands in for a kubelet's that is not known.
    pub fn path_of(&self, root: RootId, path: &RelPath) -> PathBuf {
        match root {
            RootId::Main => self.main.join(path),
            RootId::Kubelet => self.kubelet.as_ref().unwrap_or(&self.main).join(path),
            RootId::State => self.main.join(lock::KPKI).join(path),
        }
    }
}

/// One file as it is to be.
#[derive(Clone, PartialEq, Eq)]
pub struct FileChange {
    pub root: RootId,
    pub path: RelPath,
    /// Of a new file. A replaced file keeps its mode; one nobody but the owner is to read never gets a
    /// wider one, beside a group that was let in.
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
    /// An existing file may be replaced.
    pub replace: bool,
}

/// The content may be a key.
impl std::fmt::Debug for FileChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} ({} bytes, mode {:04o})", self.root.name(), self.path, self.bytes.len(), self.mode)
    }
}

/// What to publish, and how.
#[derive(Debug)]
pub struct Commit<'a> {
    pub roots: &'a Roots,
    /// In this order they are put in place: a key and its certificate belong next to each other.
    pub changes: Vec<FileChange>,
    /// The mode of directories that have to be made; those of kpki's own are 0700.
    pub dir_mode: u32,
    /// The name under which replaced files are kept, such as `20261120T220101Z-renew`.
    pub generation: &'a str,
    pub locking: Locking<'a>,
    /// Files that are to be gone afterwards; kept in the generation first. One that is not there is no error. The
    /// directories they were in stay.
    pub removals: Vec<(RootId, RelPath)>,
    /// Lines, without their ends, appended to `.kpki/journal.jsonl`: all or none, exactly once, also after a crash.
    pub journal: Vec<String>,
    /// What this run is: a JSON object, opaque to the store, kept with the generation.
    pub note: Option<String>,
    /// After success only this many generations are left, the newest; `None`: all are. The one just made stays always.
    pub keep_generations: Option<usize>,
}

impl Commit<'_> {
    /// Every destination: of the changes, then of the removals.
    fn wanted(&self) -> impl Iterator<Item = check::Wanted<'_>> {
        let changes = self.changes.iter().map(|change| (change.root, &change.path, change.replace));
        changes.chain(self.removals.iter().map(|(root, path)| (*root, path, true)))
    }

    fn uses_kubelet(&self) -> bool {
        self.wanted().any(|(root, ..)| root == RootId::Kubelet)
    }
}

/// How the lock of an existing tree is come by.
#[derive(Debug, Clone, Copy)]
pub enum Locking<'a> {
    Wait(Duration),
    /// The caller has held it since before it looked at the tree.
    Held(&'a TreeLock),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub how: How,
    /// Where the replaced and removed files are kept; `None`: there were none.
    pub kept: Option<PathBuf>,
    /// The name of the generation that was made; `None`: nothing to keep, and nothing to note.
    pub generation: Option<String>,
    /// What an earlier run had left to do.
    pub recovered: Recovery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// One rename made the whole tree visible.
    Created,
    /// Files were put into a tree that existed.
    Merged,
}
