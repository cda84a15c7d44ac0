//! The request from the command line.

use crate::error::Error;
use crate::workspace::RunArgs;
use std::path::{Path, PathBuf};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub dir: PathBuf,
    pub kubelet_dir: Option<PathBuf>,
    /// `None`: the newest.
    pub generation: Option<String>,
    /// Certificates that are revoked or held may be restored.
    pub force: bool,
    pub run: RunArgs,
}

pub fn none(dir: &Path) -> Error {
    Error::new(format!("there is nothing to restore in {}: no run of kpki replaced a file there", dir.display()))
        .hint("check --dir: give the directory of init or renew")
}
