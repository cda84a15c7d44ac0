//! What an interrupted run left: finished if there is a commit mark, removed if there is none.

use std::path::PathBuf;
use std::time::Duration;

use crate::files::{Dir, FileError};

use super::clear::{self, STAGING};
use super::error::StoreError;
use super::forward;
use super::lock::TreeLock;
use super::mark::{self, MARK};
use super::open_dirs::OpenRoots;
use super::roots::{Roots, or_here};
use super::trust;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovery {
    Nothing,
    /// There was a commit mark; its files are now in place or removed.
    Finished {
        files: usize,
        generation: String,
        /// Files outside the tree among them.
        outer: Vec<PathBuf>,
    },
    /// There was no commit mark; what had been prepared is removed.
    Discarded,
}

/// Whether there is a commit mark: the tree may be partly old and partly new. Writes nothing and takes no lock, so it also
/// sees a run that is at work right now.
pub fn pending(roots: &Roots) -> Result<bool, StoreError> {
    Ok(match trust::open(roots)? {
        Some(kpki) => kpki.facts(MARK)?.is_some(),
        None => false,
    })
}

/// Whether there is a commit mark or prepared files. Otherwise as [`pending`].
pub fn interrupted(roots: &Roots) -> Result<bool, StoreError> {
    let Some(kpki) = trust::open(roots)? else { return Ok(false) };
    Ok(kpki.facts(MARK)?.is_some() || kpki.facts(STAGING)?.is_some() || outside(&kpki, roots)?.is_some())
}

/// Finishes or removes what an interrupted run left; does not touch a tree that needs neither. A verb that decides by the
/// tree takes [`TreeLock::acquire_and_recover`] instead.
pub fn recover(roots: &Roots, wait: Duration) -> Result<Recovery, StoreError> {
    match interrupted(roots)? {
        true => Ok(TreeLock::acquire_and_recover(roots, wait)?.1),
        false => Ok(Recovery::Nothing),
    }
}

/// The kubelet's directory and the name of the staging directory that exists in it.
fn outside(kpki: &Dir, roots: &Roots) -> Result<Option<(Dir, String)>, FileError> {
    let Some(path) = &roots.kubelet else { return Ok(None) };
    let Some(root) = Dir::open_if_exists(path)? else { return Ok(None) };
    let Some(main) = kpki.path().parent() else { return Ok(None) };
    let Ok(main) = std::fs::canonicalize(main) else { return Ok(None) };
    let name = clear::kubelet_staging(&main);
    Ok(root.facts(&name)?.map(|_| (root, name)))
}

impl TreeLock {
    /// Takes the lock and finishes or removes what an interrupted run left, so that the caller sees a whole tree and nobody
    /// changes it until the lock is released.
    pub fn acquire_and_recover(roots: &Roots, wait: Duration) -> Result<(Self, Recovery), StoreError> {
        let lock = Self::take(or_here(&roots.main), wait)?;
        let recovery = under(&lock, roots)?;
        Ok((lock, recovery))
    }
}

/// [`recover`] by a run that holds the lock.
pub(super) fn under(lock: &TreeLock, roots: &Roots) -> Result<Recovery, StoreError> {
    if let Some(mark) = mark::find(&lock.kpki)? {
        let kubelet = mark.kubelet.as_ref().map(|kubelet| Dir::open_root(&kubelet.path)).transpose();
        let mut dirs = OpenRoots::open(lock, kubelet.map_err(StoreError::KubeletGone)?, mark.dir_mode)?;
        forward::finish(lock, &mark, &mut dirs, Vec::new(), &|_| Ok(()))?;
        let outer: Vec<PathBuf> = mark.outer.into_iter().map(|file| file.path).collect();
        let files = [mark.files.len(), mark.removals.len(), outer.len()].iter().sum();
        return Ok(Recovery::Finished { files, generation: mark.generation, outer });
    }
    let staged = lock.kpki.facts(STAGING)?.is_some();
    let outside = outside(&lock.kpki, roots)?;
    lock.kpki.remove_tree(STAGING)?;
    if let Some((root, name)) = &outside {
        root.remove_tree(name)?;
    }
    Ok(if staged || outside.is_some() { Recovery::Discarded } else { Recovery::Nothing })
}
