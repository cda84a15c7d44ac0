//! A backup of a whole tree: what it says of itself, how it is collected, read back and judged.

mod collect;
mod contents;
mod file;
mod judged;
mod manifest;

pub use collect::{Outside, collect};
pub use contents::Contents;
pub use file::{LARGEST, Source, damaged, open};
pub use judged::{Judged, judge, newer};
pub use manifest::Manifest;

/// Of everything in it, in bytes: more is no tree of keys and certificates.
pub const LIMIT: u64 = 1 << 30;
