//! Onto the disk: a file by one rename, a directory by one transaction of the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::request::Output;
use crate::clock;
use crate::error::Error;
use crate::files::RelPath;
use crate::store::{Commit, FileChange, Locking, RootId, Roots, StoreError, create_file, publish, replace_file};

const LOCK_WAIT: Duration = Duration::from_secs(10);

const fn mode(output: &Output) -> u32 {
    if output.secret { 0o600 } else { 0o644 }
}

fn shown(error: StoreError) -> Error {
    match error {
        StoreError::Exist(_) => {
            Error::new(error.to_string()).hint("replace what is there with --force, or choose another --out")
        }
        error => error.into(),
    }
}

/// One file; an existing one is replaced only with `force`.
pub fn file(path: &Path, output: &Output, force: bool) -> Result<(), Error> {
    if path.file_name().is_none_or(|name| name.to_str().is_none()) {
        return Err(Error::usage(format!("--out {}: expected the name of a file", path.display())));
    }
    let write = if force { replace_file } else { create_file };
    write(path, &output.bytes, mode(output)).map_err(shown)
}

/// All of them, or none. Where replaced files are kept; `None`: none was replaced.
pub fn directory(out: &Path, outputs: Vec<Output>, force: bool, now: OffsetDateTime) -> Result<Option<String>, Error> {
    let changes = outputs
        .into_iter()
        .map(|output| {
            Ok(FileChange {
                root: RootId::Main,
                path: RelPath::parse(output.path.as_str())?,
                mode: mode(&output),
                bytes: output.bytes,
                replace: force,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    // A trailing slash says only that it is a directory.
    let roots = Roots { main: out.components().collect::<PathBuf>(), kubelet: None };
    let generation = format!("{}-convert", clock::rfc3339(now).replace(['-', ':'], ""));
    let commit = Commit {
        roots: &roots,
        changes,
        dir_mode: 0o755,
        generation: &generation,
        locking: Locking::Wait(LOCK_WAIT),
        removals: Vec::new(),
        journal: Vec::new(),
        note: None,
        keep_generations: None,
    };
    match publish(&commit) {
        Ok(receipt) => Ok(receipt.kept.map(|kept| kept.display().to_string())),
        Err(error) => Err(shown(error)),
    }
}
