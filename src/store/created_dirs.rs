//! The directories above and at a root that have to be there before anything can be prepared, and their removal when
//! nothing came of it.

use std::path::{Path, PathBuf};

use crate::files::{Dir, FileError, Kind, Op};

/// Directories this run made, outermost first.
#[derive(Debug, Default)]
pub(super) struct CreatedDirs {
    made: Vec<PathBuf>,
}

/// The mode of directories above the tree.
const PARENT_MODE: u32 = 0o755;

/// `""` is where a relative path of one name lies.
pub(super) fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

impl CreatedDirs {
    /// Makes `path` with this mode, and what is missing above it.
    pub fn make(&mut self, path: &Path, mode: u32) -> Result<Dir, FileError> {
        let path = or_here(path);
        match Dir::open_root(path) {
            Err(error) if error.kind == Kind::Missing => {}
            found => return found,
        }
        if rustix::fs::lstat(path).is_ok_and(|found| rustix::fs::FileType::from_raw_mode(found.st_mode).is_symlink()) {
            // A symlink to nothing: what it was meant to lead to is not for this program to guess.
            return Err(FileError::new(Op::Open, path, Kind::SymlinkInTheWay));
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

    /// Removes what was made, as far as nobody has put anything into it.
    pub fn undo(self) {
        for path in self.made.iter().rev() {
            let _ = rustix::fs::rmdir(path);
        }
    }
}
