//! The directories above and at a root that have to exist before anything can be prepared. A failed run removes those it
//! made.

use std::path::{Path, PathBuf};

use crate::files::{Dir, FileError, Kind, Op};

use super::error::StoreError;
use super::roots::or_here;

/// Directories this run made, outermost first.
#[derive(Debug, Default)]
pub(super) struct CreatedDirs {
    made: Vec<PathBuf>,
}

/// The mode of directories above the tree.
const PARENT_MODE: u32 = 0o755;

/// Opens a directory; `None`: there is none. A symlink to nothing is an error: its target is not this program's to make.
pub(super) fn open_existing(path: &Path) -> Result<Option<Dir>, FileError> {
    let opened = Dir::open_if_exists(or_here(path))?;
    // Another run may have made the directory by now: only a symlink is one to nothing.
    if opened.is_none() {
        refuse_link(path)?;
    }
    Ok(opened)
}

/// Refuses a symlink as the last part of a path, which nobody has given on the command line.
pub(super) fn refuse_link(path: &Path) -> Result<(), FileError> {
    match rustix::fs::lstat(path) {
        Ok(found) if is_symlink(&found) => Err(FileError::new(Op::Open, path, Kind::SymlinkInTheWay)),
        _ => Ok(()),
    }
}

fn is_symlink(found: &rustix::fs::Stat) -> bool {
    rustix::fs::FileType::from_raw_mode(found.st_mode).is_symlink()
}

impl CreatedDirs {
    /// Makes `path` with this mode, and what is missing above it.
    pub fn make(&mut self, path: &Path, mode: u32) -> Result<Dir, FileError> {
        let path = or_here(path);
        if let Some(dir) = open_existing(path)? {
            return Ok(dir);
        }
        let missing = || FileError::new(Op::Open, path, Kind::Missing);
        let (parent, name) = (path.parent().ok_or_else(missing)?, path.file_name().ok_or_else(missing)?);
        let above = self.make(parent, PARENT_MODE)?;
        match above.make(name, mode) {
            Ok(dir) => {
                self.made.push(path.to_path_buf());
                above.sync()?;
                Ok(dir)
            }
            Err(error) if error.kind == Kind::Exists => Dir::open_root(path),
            Err(error) => Err(error),
        }
    }

    /// Removes what was made, as far as it is empty.
    pub fn undo(self) {
        for path in self.made.iter().rev() {
            let _ = rustix::fs::rmdir(path);
        }
    }
}

/// A directory for outputs, made if there is none. Dropped, it is removed again as far as it is empty.
#[derive(Debug)]
pub struct OutputDir {
    created: Option<CreatedDirs>,
}

impl OutputDir {
    pub fn make(path: &Path) -> Result<Self, StoreError> {
        let mut created = CreatedDirs::default();
        match created.make(path, PARENT_MODE) {
            Ok(_) => Ok(Self { created: Some(created) }),
            Err(error) => {
                created.undo();
                Err(error.into())
            }
        }
    }
}

impl Drop for OutputDir {
    fn drop(&mut self) {
        if let Some(created) = self.created.take() {
            created.undo();
        }
    }
}
