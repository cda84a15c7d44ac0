//! The one file that a verb makes where `--out` says.

use std::path::Path;

use crate::error::Error;
use crate::files::{FileError, Kind, Op};
use crate::store::{self, StoreError};

/// Refuses what writing it would refuse, before anything is read.
pub fn check(path: &Path, force: bool) -> Result<(), Error> {
    store::check_file(path, force).map_err(|error| refused(path, error))
}

/// Writes it with mode 0600; an existing file, also one that was made meanwhile, is replaced only with `force`.
pub fn write(path: &Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    let write = if force { store::replace_file } else { store::create_file };
    write(path, bytes, 0o600).map_err(|error| refused(path, error))
}

fn refused(path: &Path, error: StoreError) -> Error {
    match error {
        StoreError::Exist(_) => Error::new(FileError::new(Op::Write, path, Kind::Exists).to_string())
            .hint("give another file with --out, or replace it with --force"),
        error => error.into(),
    }
}
