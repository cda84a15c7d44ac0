//! One file of its own, not part of a tree: a report, an archive, a converted file.

use std::path::Path;

use crate::files::{BadPath, Dir, Kind, Permissions};

use super::error::StoreError;
use super::roots::or_here;

/// How many names are tried for the temporary file: an earlier run with this process id may have left one.
const TRIES: u32 = 16;

/// Writes a file with exactly this mode: beside its place, synced, then renamed over an existing file. A reader sees the old
/// content or the new, never a part. A device or a symlink is not replaced.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    write(path, bytes, mode, true)
}

/// The same; [`StoreError::Exist`] if there is such a file.
pub fn create_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    write(path, bytes, mode, false)
}

/// Refuses what writing it would refuse: no such directory, one that is not writable, or something in the way.
pub fn check_file(path: &Path, replace: bool) -> Result<(), StoreError> {
    Ok(place(path, replace)?.0.check_writable()?)
}

/// The directory and the name in it.
fn place(path: &Path, replace: bool) -> Result<(Dir, &str), StoreError> {
    let bad = || BadPath(path.display().to_string());
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
    let parent = Dir::open_root(or_here(path.parent().unwrap_or(Path::new(""))))?;
    if replace {
        parent.regular_file(name)?;
    } else if parent.facts(name)?.is_some() {
        return Err(StoreError::Exist(vec![path.to_owned()]));
    }
    Ok((parent, name))
}

fn write(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<(), StoreError> {
    let (parent, name) = place(path, replace)?;
    let mut tried = 0;
    // Hidden, and without an extension that a collector of reports would read.
    let temporary = loop {
        let temporary = format!(".{name}.kpki-{}-{tried}", std::process::id());
        match parent.create(&temporary, Permissions { mode, owner: None }, bytes) {
            Ok(()) => break temporary,
            Err(error) if error.kind == Kind::Exists && tried < TRIES => tried += 1,
            Err(error) => {
                if error.kind != Kind::Exists {
                    // The first error is the one to report.
                    let _ = parent.remove_file(&temporary);
                }
                return Err(error.into());
            }
        }
    };
    let put = match replace {
        true => parent.rename(&temporary, &parent, name),
        false => parent.rename_new(&temporary, &parent, name),
    };
    if let Err(error) = put {
        let _ = parent.remove_file(&temporary);
        return Err(if !replace && error.kind == Kind::Exists {
            StoreError::Exist(vec![path.to_owned()])
        } else {
            error.into()
        });
    }
    Ok(parent.sync()?)
}
