//! A rotation on disk: its record, its keys, and the files that an authority's change of phase writes.

pub mod change;
pub mod erase;
pub mod files;
pub mod journal;
pub mod prior;
pub mod record;
