//! The request from the command line.

use crate::workspace::{RunArgs, TreeArgs};
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// The entry they are for, if the key does not decide it.
    pub entry: Option<String>,
    /// The directory of `kpki csr --out`.
    pub requests: Option<PathBuf>,
}
