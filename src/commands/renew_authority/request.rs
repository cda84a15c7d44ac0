//! The request from the command line.

use std::ffi::OsString;

use crate::catalog::CaId;
use crate::clock::Span;
use crate::workspace::{RunArgs, TreeArgs};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Each once.
    pub authorities: Vec<CaId>,
    /// From now on; `None`: what the profile states, or as long as the old one.
    pub validity: Option<Span>,
    pub no_hooks: bool,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
}
