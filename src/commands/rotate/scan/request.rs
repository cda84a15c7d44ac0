//! The request from the command line.

use std::path::PathBuf;

use crate::workspace::TreeArgs;

pub use crate::workspace::scan::Input;

/// The command line, checked.
#[derive(Debug)]
pub struct Request {
    pub inputs: Vec<Input>,
    /// Certificates or public keys of what is replaced; empty: what the tree has recorded.
    pub old: Vec<PathBuf>,
    /// Those that replace them, in the same order; empty: whatever is old is asked for.
    pub new: Vec<PathBuf>,
    /// The tree, where no file is given.
    pub trees: TreeArgs,
}
