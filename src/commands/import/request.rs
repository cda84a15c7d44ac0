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
    /// Instead of the system's roots and the profile's, for entries of an external authority.
    pub root: Option<PathBuf>,
    pub requests: Option<PathBuf>,
}
