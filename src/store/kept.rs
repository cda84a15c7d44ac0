//! Replaced files are kept in a generation: by a second name for the same file, or by a copy where that is not possible.

use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, Op, RelPath};

use super::error::StoreError;
use super::lock::TreeLock;
use super::open_dirs::OpenDirs;
use super::roots::RootId;

pub(super) const GENERATIONS: &str = "generations";
/// The generation while it is prepared, in the staging directory.
pub(super) const KEPT: &str = "kept";

/// Keeps a file of `dir` in a generation, as `main/pki/ca.crt`.
pub(super) fn keep(
    generation: &mut OpenDirs,
    dir: &Dir,
    root: RootId,
    path: &RelPath,
    facts: &Facts,
) -> Result<(), FileError> {
    let name = path.file_name();
    let failed = |errno| FileError::of(Op::Link, &dir.path_of(name), errno);
    let below = RelPath::parse(root.name()).map_err(|_| failed(Errno::INVAL))?.join(path);
    let to = generation.make(below.parent().as_ref())?;
    match dir.link(name, &to, name) {
        Ok(()) => Ok(()),
        Err(errno @ (Errno::EXIST | Errno::NOENT | Errno::IO | Errno::NOSPC)) => Err(failed(errno)),
        Err(_) => dir.copy(name, facts, &to, name),
    }
}

/// A free name for a generation: the one asked for, or that with a number.
pub(super) fn free_name(kpki: &Dir, wanted: &str) -> Result<String, FileError> {
    let Some(generations) = kpki.child(GENERATIONS)? else { return Ok(wanted.to_owned()) };
    let mut name = wanted.to_owned();
    let mut number = 1u32;
    while generations.facts(&name)?.is_some() {
        number = number.saturating_add(1);
        name = format!("{wanted}.{number}");
    }
    Ok(name)
}

impl TreeLock {
    /// The name that a commit under this lock gives its generation when it is asked for this one.
    pub fn generation_name(&self, wanted: &str) -> Result<String, StoreError> {
        Ok(free_name(&self.kpki, wanted)?)
    }
}
