//! The request from the command line.

use crate::error::Error;
use crate::tree::{Origin, ProfileAt};
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

impl Request {
    /// How a command names the tree.
    pub fn origin(&self) -> Origin {
        let kubelet_dir = self.kubelet_dir.as_ref().map(|dir| dir.display().to_string());
        Origin { kubelet_dir, ..Origin::new(self.dir.display().to_string(), ProfileAt::Recorded) }
    }
}

pub fn none(dir: &Path) -> Error {
    Error::new(format!("there is nothing to restore in {}: no run of kpki replaced a file there", dir.display()))
        .hint("check --dir: give the directory of init or renew")
}
