//! What the command line asks for.

use crate::workspace::{RunArgs, TreeArgs};
use std::path::PathBuf;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub files: Vec<PathBuf>,
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// The entry they are for, where the key does not say it.
    pub entry: Option<String>,
    /// Where `kpki csr --out` put keys and requests.
    pub requests: Option<PathBuf>,
}
