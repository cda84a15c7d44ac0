//! The request of `kpki crl check`.

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
    /// Ignore a CRL whose signer has no cRLSign, or that has no number.
    pub strict: bool,
    pub at: OffsetDateTime,
}
