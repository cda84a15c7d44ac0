//! For tests: which files and directories were synced.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

static SYNCED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

pub(super) fn note(path: &Path) {
    SYNCED.lock().unwrap().push(path.to_owned());
}

/// Those below a directory since the last call, sorted, as paths relative to it.
pub(crate) fn take(dir: &Path) -> Vec<String> {
    let mut synced = SYNCED.lock().unwrap();
    let (below, other) = synced.drain(..).partition(|path| path.starts_with(dir));
    *synced = other;
    let below: Vec<PathBuf> = below;
    let mut names: Vec<_> = below.iter().map(|path| path.strip_prefix(dir).unwrap().display().to_string()).collect();
    names.sort();
    names
}
