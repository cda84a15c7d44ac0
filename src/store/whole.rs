//! A tree as it once was, with every file and directory of it, where there is none: by the one rename of a new tree, without a
//! generation or a line of the journal of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use crate::files::{Dir, FileError, Kind, Op, Permissions, RelPath};
use crate::signals;

use super::create;
use super::error::StoreError;
use super::roots::or_here;
use super::stage::{self, NewFile};
use super::trust;

/// While it is filled.
const PRIVATE: u32 = 0o700;

/// Path, mode and content.
type WholeFile<'a> = (RelPath, u32, &'a [u8]);

/// What is in it. Files and directories belong to who makes them.
pub struct WholeTree<'a> {
    /// Of the directory itself.
    pub mode: u32,
    /// Those above come first.
    pub directories: Vec<(RelPath, u32)>,
    pub files: Vec<WholeFile<'a>>,
}

/// The contents may be keys.
impl std::fmt::Debug for WholeTree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WholeTree({} directories, {} files)", self.directories.len(), self.files.len())
    }
}

/// Makes it in a directory that is absent or empty: all of it, or nothing.
pub fn create_whole(main: &Path, tree: &WholeTree<'_>) -> Result<(), StoreError> {
    // What this run has made is removed again before a signal ends it.
    let _held = signals::hold();
    let main = or_here(main);
    let taken = || FileError::new(Op::MakeDir, main, Kind::Io(Errno::NOTEMPTY));
    trust::check_place(main)?;
    let place = create::place_of(main)?.ok_or_else(taken)?;
    let made = create::publish(&place, |staging| {
        fill(tree, staging)?;
        place.open(staging, tree.mode)?;
        staging.sync()?;
        Ok(signals::check()?)
    })?;
    Ok(made.ok_or_else(taken)?)
}

/// Directory by directory: a tree may have more of them than a process may have open files.
fn fill(tree: &WholeTree<'_>, staging: &Arc<Dir>) -> Result<(), StoreError> {
    for (path, _) in &tree.directories {
        at(staging, path.parent().as_ref())?.make(path.file_name(), PRIVATE)?;
    }
    let mut by_directory: BTreeMap<Option<RelPath>, Vec<&WholeFile<'_>>> = BTreeMap::new();
    for file in &tree.files {
        by_directory.entry(file.0.parent()).or_default().push(file);
    }
    for (parent, files) in &by_directory {
        let dir = at(staging, parent.as_ref())?;
        let files = files.iter().map(|(path, mode, bytes)| NewFile {
            dir: Arc::clone(&dir),
            name: path.file_name().to_owned(),
            permissions: Permissions { mode: *mode, owner: None },
            bytes,
        });
        stage::sync(&stage::write(&files.collect::<Vec<_>>())?)?;
    }
    // The deepest first, and only now: one that is not writable takes no files.
    for (path, mode) in tree.directories.iter().rev() {
        let dir = at(staging, Some(path))?;
        dir.set_mode(*mode)?;
        dir.sync()?;
    }
    Ok(())
}

/// A directory that was made before.
fn at(staging: &Arc<Dir>, path: Option<&RelPath>) -> Result<Arc<Dir>, FileError> {
    let Some(path) = path else { return Ok(Arc::clone(staging)) };
    let missing = || FileError::new(Op::Open, &staging.path_of(path.as_str()), Kind::Missing);
    staging.descend(path)?.map(Arc::new).ok_or_else(missing)
}
