//! What the command line asks for.

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
    pub run: RunArgs,
}

pub fn none(dir: &Path) -> Error {
    Error::new(format!("{} keeps no generation to go back to", dir.display()))
        .hint("check --dir: it is the directory that was given to init or renew")
}
