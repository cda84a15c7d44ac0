//! A tree on disk as a whole: published all or nothing.
//!
//! **Create.** Where there is no tree, it is made in a sibling directory that nobody else can enter, synced, and put in place
//! by one rename. A part of a tree is never visible.
//!
//! **Merge.** In a tree that exists, directories are never swapped: a running pod that mounts one would keep the old one.
//! Every new file is written beside the tree and synced, every file to be replaced is kept in a generation, and then one
//! rename puts the commit mark in place. From there on the files are renamed into place one by one, files to be removed are
//! removed, the journal gets its lines, and the mark is removed. A run that finds a mark finishes the work; one that finds
//! none removes what was prepared.
//!
//! Below a root no symlink is followed, and every error before the mark leaves the disk as it was.

mod beside;
mod chain;
mod check;
mod clear;
mod commit;
mod create;
mod created_dirs;
mod erase;
mod error;
mod file;
mod forward;
mod generation;
mod journal;
mod json;
mod kept;
mod lock;
mod mark;
mod merge;
mod open_dirs;
mod outer;
mod recover;
mod roots;
mod stage;
mod step;
mod transaction;
mod trust;
mod whole;

#[cfg(test)]
mod tests;

pub use chain::{Faults as ChainFaults, judge as chain_faults};
pub use check::{check_in_the_way, check_writable};
pub use commit::{Commit, FileChange, Locking};
pub use created_dirs::OutputDir;
pub use erase::kept_files;
pub use error::StoreError;
pub use file::{check_file, create_file, replace_file};
pub use generation::{Generation, MANIFEST, PriorFile, before_of, generations};
pub use journal::{bytes as journal_bytes, journal};
pub use json::JsonError;
pub use lock::TreeLock;
pub use outer::OuterFile;
pub use recover::{Recovery, interrupted, pending, recover};
pub use roots::{RootId, Roots};
pub use transaction::publish;
pub use trust::{check_own, check_place, own};
pub use whole::{WholeTree, create_whole};
