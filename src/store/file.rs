//! One file of its own, not part of a tree: a report, an archive, a converted file.

use std::path::Path;

use crate::files::{BadPath, Dir, Kind, What};
use crate::signals;

use super::beside::Beside;
use super::error::StoreError;
use super::roots::or_here;

/// Writes a file with exactly this mode: beside its place, synced, then renamed over an existing file. A reader sees the old
/// content or the new, never a part. A device or a symlink is not replaced.
pub fn replace_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    write(path, bytes, mode, true)
}

/// The same; [`StoreError::Exist`] if there is such a file, also if it is made meanwhile: of several processes one succeeds.
pub fn create_file(path: &Path, bytes: &[u8], mode: u32) -> Result<(), StoreError> {
    write(path, bytes, mode, false)
}

/// Refuses what writing it would refuse: no such directory, one that is not writable, or something in the way.
pub fn check_file(path: &Path, replace: bool) -> Result<(), StoreError> {
    Ok(place(path, replace)?.0.check_writable()?)
}

/// The directory and the name in it.
pub(super) fn place(path: &Path, replace: bool) -> Result<(Dir, &str), StoreError> {
    let bad = || BadPath(path.display().to_string());
    // `X/` and `X/.` name a directory, whether it exists or not; their last part alone would become a file.
    let text = path.as_os_str().as_encoded_bytes();
    if text.ends_with(b"/") || text.ends_with(b"/.") {
        return Err(StoreError::NoName(path.to_owned()));
    }
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(bad)?;
    let parent = Dir::open_root(or_here(path.parent().unwrap_or(Path::new(""))))?;
    match parent.facts(name)? {
        Some(facts) if facts.what == What::Directory => return Err(StoreError::NoName(path.to_owned())),
        Some(_) if !replace => return Err(StoreError::Exist(vec![path.to_owned()])),
        _ => _ = parent.regular_file(name)?,
    }
    Ok((parent, name))
}

pub(super) fn write(path: &Path, bytes: &[u8], mode: u32, replace: bool) -> Result<(), StoreError> {
    let (parent, name) = place(path, replace)?;
    // The temporary file is removed before a signal ends the run.
    let _held = signals::hold();
    let prepared = Beside::prepare(parent, name, mode, bytes)?;
    signals::check()?;
    prepared.put(mode, replace).map_err(|error| match error {
        StoreError::File(error) if !replace && error.kind == Kind::Exists => StoreError::Exist(vec![path.to_owned()]),
        error => error,
    })
}
