//! A rotation on disk: its record, its keys, and the files that an authority's change of phase writes.

pub mod ahead;
pub mod alive;
pub mod change;
pub mod erase;
pub mod files;
pub mod former;
pub mod journal;
pub mod lists;
pub mod nodes;
pub mod phases;
pub mod prior;
pub mod record;
pub mod remarks;
pub mod signing;
pub mod standing;
pub mod state;
