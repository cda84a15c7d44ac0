//! One file, or bytes.

use super::documents;
use super::findings::Findings;
use crate::error::Error;
use crate::files::{self, FileError, Kind, Op};
use crate::report::inspect::File;
use crate::workspace::survey::LARGEST_INPUT;
use std::path::Path;

/// One file; a problem is never an error of the whole run.
pub fn file(path: &Path) -> File {
    let name = path.display().to_string();
    match files::read_input(path, LARGEST_INPUT) {
        Ok(files::FileState::File { bytes, .. }) => content(name, &bytes),
        Ok(files::FileState::Missing) => unreadable(name, &FileError::new(Op::Read, path, Kind::Missing).into()),
        Err(error) => unreadable(name, &error.into()),
    }
}

/// A file that cannot be read.
pub fn unreadable(path: String, error: &Error) -> File {
    File { path, objects: Vec::new(), problems: vec![error.what.clone()] }
}

/// The contents of bytes; `path` is their name in the report.
pub fn content(path: String, bytes: &[u8]) -> File {
    let mut found = Findings::default();
    if bytes.first() == Some(&0x30) {
        found.der(bytes);
    } else if !documents::read(bytes, &mut found) {
        found.pem(bytes, None);
    }
    if found.objects.is_empty() && found.problems.is_empty() {
        found.problem(match bytes {
            [] => "expected a certificate, key, CRL, signing request or kubeconfig, found an empty file",
            _ => "expected a certificate, key, CRL, signing request or kubeconfig, found nothing of the kind",
        });
    }
    File { path, objects: found.objects, problems: found.problems }
}
