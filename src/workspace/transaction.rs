//! What one commit changes.

use crate::encoding::pem;
use crate::files::RelPath;
use crate::store::{FileChange, OuterFile, RootId, StoreError};

/// One commit: all of it, or nothing.
#[derive(Debug, Default)]
pub struct Transaction {
    pub changes: Vec<FileChange>,
    pub removals: Vec<(RootId, RelPath)>,
    /// Files outside the tree.
    pub outer: Vec<OuterFile>,
    /// What generations keep and nobody is to have any more: paths below `.kpki`.
    pub erasures: Vec<RelPath>,
    /// Nothing of what is replaced is kept: keys that become encrypted ones.
    pub forgets: bool,
    /// Lines of the journal.
    pub journal: Vec<String>,
    /// The entries for `kpki history`; `None`: no generation.
    pub entries: Option<Vec<String>>,
}

/// No private key in a file that others may read, or that is called a certificate or public key, whoever put it there.
pub fn public_files(changes: &[FileChange]) -> Result<(), StoreError> {
    let leaks = |change: &&FileChange| is_public(change) && pem::holds_private_key(&change.bytes);
    match changes.iter().find(leaks) {
        Some(change) => Err(StoreError::PrivateKey(change.path.as_str().into())),
        None => Ok(()),
    }
}

pub fn is_public(change: &FileChange) -> bool {
    change.mode & 0o077 != 0 || pem::is_called_public(change.path.as_str())
}
