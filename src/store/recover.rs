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
use super::roots::{RootId, Roots, or_here};
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
    Ok(kpki.facts(MARK)?.is_some() || kpki.facts(STAGING)?.is_some() || !outside(&kpki, roots)?.is_empty())
}

/// Finishes or removes what an interrupted run left; does not touch a tree that needs neither. A verb that decides by the
/// tree takes [`TreeLock::acquire_and_recover`] instead.
pub fn recover(roots: &Roots, wait: Duration) -> Result<Recovery, StoreError> {
    match interrupted(roots)? {
        true => Ok(TreeLock::acquire_and_recover(roots, wait)?.1),
        false => Ok(Recovery::Nothing),
    }
}

/// The directories outside the tree with the name of the staging directory that exists in them.
fn outside(kpki: &Dir, roots: &Roots) -> Result<Vec<(Dir, String)>, FileError> {
    let Some(Ok(main)) = kpki.path().parent().map(std::fs::canonicalize) else { return Ok(Vec::new()) };
    let name = clear::outside_staging(&main);
    let mut found = Vec::new();
    for path in RootId::OUTSIDE.into_iter().filter_map(|root| roots.outside(root)) {
        let Some(dir) = Dir::open_if_exists(path)? else { continue };
        if dir.facts(&name)?.is_some() {
            found.push((dir, name.clone()));
        }
    }
    Ok(found)
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
        let outside = mark.outside().map(|(root, staging)| Ok((root, Dir::open_root(&staging.path)?)));
        let outside = outside.collect::<Result<Vec<_>, _>>().map_err(StoreError::OutsideGone)?;
        let mut dirs = OpenRoots::open(lock, outside, mark.dir_mode)?;
        forward::finish(lock, &mark, &mut dirs, Vec::new(), &|_| Ok(()))?;
        let outer: Vec<PathBuf> = mark.outer.into_iter().map(|file| file.path).collect();
        let files = [mark.files.len(), mark.removals.len(), outer.len()].iter().sum();
        return Ok(Recovery::Finished { files, generation: mark.generation, outer });
    }
    let staged = lock.kpki.facts(STAGING)?.is_some();
    let outside = outside(&lock.kpki, roots)?;
    lock.kpki.remove_tree(STAGING)?;
    for (root, name) in &outside {
        root.remove_tree(name)?;
    }
    Ok(if staged || !outside.is_empty() { Recovery::Discarded } else { Recovery::Nothing })
}
