//! State files are JSON documents.

use std::path::Path;

use rustix::io::Errno;
use serde::Serialize;

use crate::files::{FileError, Op};

/// The text of a document that will be at `path`. Fails only for a path in it that is not UTF-8.
pub(super) fn text(document: &impl Serialize, path: &Path) -> Result<Vec<u8>, FileError> {
    serde_json::to_vec(document).map_err(|_| FileError::of(Op::Write, path, Errno::ILSEQ))
}
