//! The request from the command line.

use crate::workspace::{RunArgs, TreeArgs};
use std::ffi::OsString;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Empty: all.
    pub names: Vec<String>,
    /// Renew only what is due.
    pub due: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
    pub no_hooks: bool,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
}
