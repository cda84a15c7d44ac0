//! The command line, checked.

use std::time::Duration;

use time::OffsetDateTime;

use crate::verify::served::Given;
use crate::verify::{Policy, Selection};
use crate::workspace::TreeArgs;

#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    /// Which rules count.
    pub selection: Selection,
    pub policy: Policy,
    /// What is in each tree is asked for, beside what is found.
    pub with_inventory: bool,
    /// Whether connections are tried.
    pub edges: bool,
    pub at: OffsetDateTime,
    pub threads: usize,
    /// The components are asked what they serve.
    pub live: Option<Live>,
}

/// Whom to ask, and how long.
#[derive(Debug, Clone)]
pub struct Live {
    pub given: Vec<Given>,
    /// Also at addresses that only files name.
    pub all: bool,
    /// For one peer.
    pub time: Duration,
}
