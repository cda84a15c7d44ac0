//! The command line, checked.

use time::OffsetDateTime;

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
}
