//! Everything that was asked of one cluster's components.

use super::endpoint::Skipped;
use super::row::{Row, State};
use crate::tree::EntryId;

/// Everything that was asked of one cluster's components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    pub rows: Vec<Row>,
    pub skipped: Vec<Skipped>,
    /// They listen on loopback of other machines.
    pub elsewhere: Vec<EntryId>,
}

impl Live {
    /// How many rows are in a state.
    pub fn count(&self, state: State) -> usize {
        self.rows.iter().filter(|row| row.state == state).count()
    }
}
