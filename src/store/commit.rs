//! What to publish, and what was done.

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::files::RelPath;

use super::lock::TreeLock;
use super::outer::OuterFile;
use super::roots::{RootId, Roots};

/// One file with its new content.
#[derive(Clone, PartialEq, Eq)]
pub struct FileChange {
    pub root: RootId,
    pub path: RelPath,
    /// Of a new file. A replaced file keeps its mode, but where only the owner may read (`mode & 0o077 == 0`), it gets no
    /// wider one, except for a group that could read it before.
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

/// A set of changes that is published whole or not at all.
#[derive(Debug)]
pub struct Commit<'a> {
    pub roots: &'a Roots,
    /// Put in place in this order: a key and its certificate belong next to each other.
    pub changes: Vec<FileChange>,
    /// The mode of new directories; those of kpki's own are 0700.
    pub dir_mode: u32,
    /// The name under which replaced files are kept, such as `20261120T220101Z-renew`.
    pub generation: &'a str,
    pub locking: Locking<'a>,
    /// Files to remove; the generation keeps them. One that does not exist is no error. Their directories stay.
    pub removals: Vec<(RootId, RelPath)>,
    /// Files outside the tree, put in place after the journal has its lines.
    pub outer: Vec<OuterFile>,
    /// Lines, without line ends, appended to `.kpki/journal.jsonl`: all or none, exactly once, also after a crash.
    pub journal: Vec<String>,
    /// What this run is: a JSON object, opaque to the store, kept with the generation.
    pub note: Option<String>,
    /// After success only this many generations are left, the newest; `None`: all. The one just made always stays.
    pub keep_generations: Option<usize>,
    /// Generations that stay, however old they are.
    pub pinned: Vec<String>,
    /// Kept files to destroy, as `generations/NAME/main/pki/ca.key`: paths below `.kpki`. Their generations stay, without them.
    pub erasures: Vec<RelPath>,
    /// Nothing of what is replaced is kept, and kept files may be replaced, too: keys that become encrypted ones.
    pub forgets: bool,
}

/// A file of a commit, and whether an existing file may be replaced or removed there.
pub(super) type Destination<'a> = (RootId, &'a RelPath, bool);

impl Commit<'_> {
    /// Every destination: of the changes, then of the removals.
    pub(super) fn destinations(&self) -> impl Iterator<Item = Destination<'_>> {
        let changes = self.changes.iter().map(|change| (change.root, &change.path, change.replace));
        changes.chain(self.removals.iter().map(|(root, path)| (*root, path, true)))
    }

    /// Whether it leaves anything in `.kpki`, a generation aside, or takes something out of it.
    pub(super) fn has_state(&self) -> bool {
        let is_state = |root: RootId| root == RootId::State;
        !self.journal.is_empty() || !self.erasures.is_empty() || self.destinations().any(|(root, ..)| is_state(root))
    }

    /// Whether it has files in this root.
    pub(super) fn uses(&self, wanted: RootId) -> bool {
        self.destinations().any(|(root, ..)| root == wanted)
    }
}

/// How the lock of an existing tree is acquired.
#[derive(Debug, Clone, Copy)]
pub enum Locking<'a> {
    Wait(Duration),
    /// The caller has held it since before it read the tree.
    Held(&'a TreeLock),
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Where the replaced and removed files are kept; `None`: there were none.
    pub kept: Option<PathBuf>,
    /// The name of the generation that was made; `None`: nothing to keep and no note.
    pub generation: Option<String>,
}
