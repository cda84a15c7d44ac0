//! What `kpki crl check` is asked.

use crate::workspace::TreeArgs;
use std::path::PathBuf;
use time::OffsetDateTime;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files, directories, or names of the tree in `dir`; empty: everything of that tree.
    pub whom: Vec<String>,
    pub lists: Vec<PathBuf>,
    pub authorities: Vec<PathBuf>,
    /// One directory.
    pub trees: TreeArgs,
    /// An authority without cRLSign, and a list without a number, decide nothing.
    pub strict: bool,
    pub at: OffsetDateTime,
}
