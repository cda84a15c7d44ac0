//! A rotation on disk: its record, its keys, and the files that an authority's change of phase writes.

pub mod change;
pub mod files;
pub mod journal;
pub mod record;
pub mod signing;
