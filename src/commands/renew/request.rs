//! What the command line asks for.

use crate::workspace::{RunArgs, TreeArgs};
use std::ffi::OsString;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all.
    pub names: Vec<String>,
    /// Only what is due.
    pub due: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
    pub no_hooks: bool,
    /// What hooks get of this process's environment.
    pub inherited: Vec<(&'static str, OsString)>,
}
