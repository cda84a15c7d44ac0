//! The steps of a publication, for tests that stop it at one of them and leave the disk as a crash would.

use super::error::StoreError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The lock is held.
    Locked,
    /// Everything is on disk, nothing is visible.
    Staged,
    /// The destinations were checked again; next is the commit mark, or the one rename.
    Checked,
    Marked,
    /// The replaced files are in their generation.
    Kept,
    /// This many files are in place.
    Placed(usize),
    /// This many files are removed.
    Removed(usize),
    /// The journal has its lines.
    Journaled,
    Synced,
    /// This many files outside the tree are in place.
    Delivered(usize),
    /// Old generations are in the staging directory.
    Pruned,
    Unmarked,
}

/// Called at every step; an error ends the run.
pub(super) type Watch<'a> = &'a dyn Fn(Step) -> Result<(), StoreError>;
