//! A tree by its directory alone: with what it records of itself, however little that is.

use std::path::Path;

use crate::error::Error;
use crate::files::{self, FileError, Op};
use crate::workspace::state::State;
use crate::workspace::tree_dir::TreeDir;
use crate::workspace::{profiles, survey};

/// The directories of the tree; a profile that cannot be used does not prevent a restore or a backup.
pub fn tree(dir: &Path, kubelet_dir: Option<&Path>) -> Result<TreeDir, Error> {
    if survey::open(dir)?.is_none() {
        return Err(FileError::new(Op::Open, dir, files::Kind::Missing).into());
    }
    let known = State::read(dir).ok().flatten().and_then(|state| state.choices.kubelet_dir);
    let recorded = profiles::recorded(dir).ok().flatten();
    TreeDir::recorded(dir, recorded.as_ref(), kubelet_dir.or(known.as_deref()))
}
