//! Onto the disk: a file by one rename, a directory by one transaction of the store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::Output;
use crate::clock;
use crate::error::Error;
use crate::files::{Dir, FileError, Kind, Look, Op, RelPath};
use crate::store::{Commit, FileChange, Locking, RootId, Roots, StoreError, publish, replace_file};

const LOCK_WAIT: Duration = Duration::from_secs(10);

const fn mode(output: &Output) -> u32 {
    if output.secret { 0o600 } else { 0o644 }
}

fn exists(error: &StoreError) -> Error {
    Error::new(error.to_string()).hint("replace what is there with --force, or choose another --out")
}

/// One file; what is there is replaced only with `force`.
pub fn file(path: &Path, output: &Output, force: bool) -> Result<(), Error> {
    if force {
        return Ok(replace_file(path, &output.bytes, mode(output))?);
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::usage(format!("--out {}: expected the name of a file", path.display())))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let dir = Dir::open_root(parent)?;
    if dir.facts(name)?.is_some() {
        return Err(exists(&StoreError::Exist(vec![path.to_owned()])));
    }
    let temporary = format!(".{name}.kpki-{}", std::process::id());
    let made = dir
        .create(&temporary, Look { mode: mode(output), owner: None }, &output.bytes)
        .and_then(|()| dir.rename_new(&temporary, &dir, name));
    if let Err(error) = made {
        // Ours; the first error is the one to tell.
        if !(error.op == Op::Create && error.kind == Kind::Exists) {
            let _ = dir.remove_file(&temporary);
        }
        return Err(match error {
            FileError { op: Op::Rename, kind: Kind::Exists, .. } => exists(&StoreError::Exist(vec![path.to_owned()])),
            error => error.into(),
        });
    }
    Ok(dir.sync()?)
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
        Err(error @ StoreError::Exist(_)) => Err(exists(&error)),
        Err(error) => Err(error.into()),
    }
}
