//! One file put in place at once: a report that others read while it is written again and again.

use std::path::Path;

use crate::files::{Dir, FileError, Kind, Look, Op, What};

use super::created_dirs::or_here;
use super::error::StoreError;

/// How many names are tried for the temporary file: an earlier run with this process id may have left one.
const TRIES: u32 = 16;

/// Writes a file with exactly this mode: beside its place, synced, then renamed over what is there. A reader sees the old
/// content or the new, never a part. What is there must be a regular file: a device or a symlink is not replaced.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    let bad = || crate::files::BadPath(path.display().to_string());
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
    let parent = Dir::open_root(or_here(path.parent().unwrap_or(Path::new(""))))?;
    match parent.facts(name)?.map(|facts| facts.what) {
        None | Some(What::File) => {}
        Some(What::Symlink) => return Err(FileError::new(Op::Write, path, Kind::SymlinkInTheWay).into()),
        Some(what) => return Err(FileError::new(Op::Write, path, Kind::NotAFile(what)).into()),
    }
    let look = Look { mode, owner: None };
    let mut tried = 0;
    // The name ends in something no collector picks up, and begins with a dot for everybody else.
    let temporary = loop {
        let temporary = format!(".{name}.kpki-{}-{tried}", std::process::id());
        match parent.create(&temporary, look, bytes) {
            Ok(()) => break temporary,
            Err(error) if error.kind == Kind::Exists && tried < TRIES => tried += 1,
            Err(error) => {
                if error.kind != Kind::Exists {
                    // Ours, half written; the first error is the one to tell.
                    let _ = parent.remove_file(&temporary);
                }
                return Err(error.into());
            }
        }
    };
    if let Err(error) = parent.rename(&temporary, &parent, name) {
        let _ = parent.remove_file(&temporary);
        return Err(error.into());
    }
    Ok(parent.sync()?)
}
