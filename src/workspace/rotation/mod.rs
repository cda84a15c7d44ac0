//! A rotation on disk: its record, its keys, and the files that an authority's change of phase writes.

pub mod alive;
pub mod change;
pub mod erase;
pub mod files;
pub mod journal;
pub mod lists;
pub mod nodes;
pub mod prior;
pub mod phases;
pub mod record;
pub mod remarks;
pub mod standing;
pub mod state;
pub mod signing;
