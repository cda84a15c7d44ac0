//! What an interrupted run left: finished if it had decided, removed if it had not.

use std::time::Duration;

use crate::files::{Dir, FileError, Kind};

use super::Roots;
use super::clear::{self, STAGING};
use super::created_dirs::or_here;
use super::error::StoreError;
use super::forward::{self, Trees};
use super::lock::TreeLock;
use super::mark::{self, MARK};
use super::step::Unwatched;
use super::trust;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    Nothing,
    /// An earlier run had decided; its files are in place now, or gone.
    Finished {
        files: usize,
        generation: String,
    },
    /// An earlier run had not decided; what it had prepared is gone.
    Discarded,
}

/// Whether an interrupted run has left a tree that is partly old and partly new. Writes nothing, takes no lock: a run that
/// is at work right now is seen as well.
pub fn pending(roots: &Roots) -> Result<bool, StoreError> {
    Ok(match kpki(roots)? {
        Some(kpki) => kpki.facts(MARK)?.is_some(),
        None => false,
    })
}

/// Whether an interrupted run has left anything at all: a mark, or files it had prepared. As [`pending`] otherwise.
pub fn interrupted(roots: &Roots) -> Result<bool, StoreError> {
    let Some(kpki) = kpki(roots)? else { return Ok(false) };
    Ok(kpki.facts(MARK)?.is_some() || kpki.facts(STAGING)?.is_some() || outside(&kpki, roots)?.is_some())
}

/// Finishes or removes what an interrupted run left. Does not touch a tree that needs none of it. A verb that goes on to
/// decide takes [`TreeLock::acquire_and_recover`] instead.
pub fn recover(roots: &Roots, wait: Duration) -> Result<Recovery, StoreError> {
    match interrupted(roots)? {
        true => Ok(TreeLock::acquire_and_recover(roots, wait)?.1),
        false => Ok(Recovery::Nothing),
    }
}

pub(super) fn kpki(roots: &Roots) -> Result<Option<Dir>, StoreError> {
    match Dir::open_root(or_here(&roots.main)) {
        Ok(main) => trust::own(&main),
        Err(error) if error.kind == Kind::Missing => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The kubelet's directory and the name of what this tree has prepared there.
fn outside(kpki: &Dir, roots: &Roots) -> Result<Option<(Dir, String)>, FileError> {
    let Some(path) = &roots.kubelet else { return Ok(None) };
    let root = match Dir::open_root(path) {
        Ok(root) => root,
        Err(error) if error.kind == Kind::Missing => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(main) = kpki.path().parent() else { return Ok(None) };
    let Ok(main) = std::fs::canonicalize(main) else { return Ok(None) };
    let name = clear::kubelet_staging(&main);
    Ok(root.facts(&name)?.map(|_| (root, name)))
}

/// The same with the lock in hand.
pub(super) fn under(hold: &TreeLock, roots: &Roots) -> Result<Recovery, StoreError> {
    if let Some(manifest) = mark::find(&hold.kpki)? {
        let kubelet = match &manifest.kubelet {
            Some((path, _)) => Some(Dir::open_root(path).map_err(StoreError::KubeletGone)?),
            None => None,
        };
        let mut trees = Trees::open(hold, kubelet, manifest.dir_mode)?;
        forward::finish(hold, &manifest, &mut trees, &Unwatched)?;
        let files = manifest.files.len().saturating_add(manifest.removals.len());
        return Ok(Recovery::Finished { files, generation: manifest.generation });
    }
    let mut found = Recovery::Nothing;
    if hold.kpki.facts(STAGING)?.is_some() {
        hold.kpki.remove_tree(STAGING)?;
        found = Recovery::Discarded;
    }
    if let Some((root, name)) = outside(&hold.kpki, roots)? {
        root.remove_tree(&name)?;
        found = Recovery::Discarded;
    }
    Ok(found)
}
