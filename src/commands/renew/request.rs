//! The request from the command line.

use crate::workspace::{RunArgs, TreeArgs};
use std::ffi::OsString;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// A plan: another run carries it out, maybe elsewhere.
    pub only_planned: bool,
    /// Empty: all.
    pub names: Vec<String>,
    /// Renew only what is due.
    pub due: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
    pub no_hooks: bool,
    /// What only another host can sign is a warning that names it, until it has expired.
    pub safe_host: Option<String>,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
}
