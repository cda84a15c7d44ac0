//! Files outside the tree that belong to its transaction, such as a signed certificate and its key: they may lie on another
//! file system, so that no rename leads there from the staging directory.
//!
//! Before the commit mark each is written twice: beside its place, so that a full disk is met while everything can be
//! undone, and in the staging directory, from which an interrupted run is finished. After the mark and the journal it is
//! renamed into place. What recovery cannot put in place - the directory is gone, the name is taken - is moved to
//! `.kpki/undelivered/GENERATION/` and reported once: it must not keep the tree from its next renewal, and nothing is lost.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use zeroize::Zeroizing;

use crate::files::{self, BadPath, Dir, FileError, FileState, Kind, Op, RelPath};

use super::beside::Beside;
use super::error::{StoreError, Undelivered};
use super::file;
use super::mark::OuterPlacement;
use super::roots::{KPKI_MODE, or_here};

/// In `.kpki`.
pub(super) const UNDELIVERED: &str = "undelivered";
/// Of a certificate, a key, a request or a kubeconfig.
const MAX_SIZE: u64 = 64 << 20;
/// Whatever its final mode: until it is recorded nobody else reads it.
const PRIVATE: u32 = 0o600;

/// One file anywhere, with its content.
#[derive(Clone, PartialEq, Eq)]
pub struct OuterFile {
    pub path: PathBuf,
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
    /// An existing file may be replaced; no generation keeps it.
    pub replace: bool,
}

/// The content may be a key.
impl std::fmt::Debug for OuterFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes, mode {:04o})", self.path.display(), self.bytes.len(), self.mode)
    }
}

/// Checks every destination. Returns them as a later run finds them, whatever its current directory.
pub(super) fn placements(files: &[OuterFile], kpki: &Dir) -> Result<Vec<OuterPlacement>, StoreError> {
    let mut seen = HashSet::new();
    let mut placements = Vec::with_capacity(files.len());
    let own = kpki.own_facts()?;
    for file in files {
        let (dir, name) = file::place(&file.path, file.replace)?;
        dir.check_writable()?;
        let here = dir.own_facts()?;
        if (here.inode, here.device) == (own.inode, own.device) {
            return Err(StoreError::Reserved(file.path.clone()));
        }
        if !seen.insert((here.inode, here.device, name)) {
            return Err(StoreError::Conflict(file.path.clone()));
        }
        let path = absolute(dir.path())?.join(name);
        placements.push(OuterPlacement { path, mode: file.mode & 0o777, replace: file.replace });
    }
    Ok(placements)
}

/// The name in the staging directory.
pub(super) fn staged(number: usize) -> String {
    format!("outer-{number}")
}

/// Writes every file beside its place.
pub(super) fn prepare(files: &[OuterFile]) -> Result<Vec<Beside>, StoreError> {
    let one = |file: &OuterFile| {
        let (dir, name) = file::place(&file.path, file.replace)?;
        Beside::prepare(dir, name, PRIVATE, &file.bytes)
    };
    files.iter().map(one).collect()
}

/// The last check before the commit mark.
pub(super) fn check_again(files: &[OuterFile], besides: &[Beside]) -> Result<(), StoreError> {
    for (file, beside) in files.iter().zip(besides) {
        if !file.replace && beside.is_taken()? {
            return Err(StoreError::Exist(vec![file.path.clone()]));
        }
    }
    Ok(())
}

/// Puts one file in place and removes it from the staging directory. `beside`: as the run that made the mark prepared it.
pub(super) fn deliver(
    kpki: &Dir,
    staging: &Dir,
    (number, file): (usize, &OuterPlacement),
    beside: Option<Beside>,
    generation: &str,
) -> Result<Option<Undelivered>, StoreError> {
    let staged = staged(number);
    // It is no longer prepared, so an interrupted run has put it in place.
    let FileState::File { bytes, .. } = files::read(staging, &RelPath::parse(&*staged)?, MAX_SIZE)? else {
        return Ok(None);
    };
    let recovering = beside.is_none();
    let put = match beside {
        Some(beside) => beside.put(file.mode, file.replace),
        None => again(file, &bytes),
    };
    let why = match put {
        Ok(()) => {
            staging.remove_file(&staged)?;
            return Ok(None);
        }
        // The name is not durable yet, so it is not done.
        Err(StoreError::Unsynced(why)) => return Err(why.into()),
        Err(why) if recovering || is_taken(&why) => Box::new(why),
        Err(why) => return Err(why),
    };
    let kept = keep(kpki, staging, &staged, generation, &file.path)?;
    Ok(Some(Undelivered { path: file.path.clone(), kept, why }))
}

/// For an interrupted run, which may have put it in place without a sync.
fn again(file: &OuterPlacement, bytes: &[u8]) -> Result<(), StoreError> {
    let there = files::read_input(&file.path, MAX_SIZE);
    if let (Ok(FileState::File { bytes: there, mode, .. }), Some(parent)) = (&there, file.path.parent())
        && there.as_slice() == bytes
        && mode & 0o777 == file.mode
    {
        return Ok(Dir::open_root(parent)?.sync()?);
    }
    file::write(&file.path, bytes, file.mode, file.replace)
}

fn is_taken(error: &StoreError) -> bool {
    matches!(error, StoreError::Exist(_)) || matches!(error, StoreError::File(error) if error.kind == Kind::Exists)
}

/// Moves it to where it is found later.
fn keep(kpki: &Dir, staging: &Dir, staged: &str, generation: &str, path: &Path) -> Result<PathBuf, StoreError> {
    let all = kpki.child_or_make(UNDELIVERED, KPKI_MODE)?;
    let dir = all.child_or_make(generation, KPKI_MODE)?;
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| BadPath(path.display().to_string()))?;
    // Two of one name may come from two directories.
    let name = if dir.facts(name)?.is_some() { staged } else { name };
    staging.rename(staged, &dir, name)?;
    for dir in [&dir, &all, kpki] {
        dir.sync()?;
    }
    Ok(dir.path_of(name))
}

/// The path by which a later run finds it, whatever its current directory.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::fs::canonicalize(or_here(path))
        .map_err(|error| FileError::new(Op::Open, path, Errno::from_io_error(&error).map_or(Kind::Missing, Kind::from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_finds_the_path_from_anywhere() {
        assert!(absolute(Path::new(".")).unwrap().is_absolute());
        assert_eq!(absolute(Path::new("no/such/directory")).unwrap_err().kind, Kind::Missing);
    }
}
