//! State files are JSON documents.

use std::path::Path;

use rustix::io::Errno;
use serde::Serialize;

use crate::files::{FileError, Op};

/// Why a text is not the JSON it has to be. Only where: the library's own words quote the value, which may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found something else at line {line}, column {column}")]
pub struct JsonError {
    expected: &'static str,
    /// Both count from 1.
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        let expected = if error.is_data() { "JSON with other fields or values" } else { "JSON" };
        Self { expected, line: error.line(), column: error.column() }
    }
}

/// The text of a document that will be at `path`. Fails only for a path in it that is not UTF-8.
pub(super) fn text(document: &impl Serialize, path: &Path) -> Result<Vec<u8>, FileError> {
    serde_json::to_vec(document).map_err(|_| FileError::of(Op::Write, path, Errno::ILSEQ))
}
