//! A backup of a whole tree: what it says of itself, how it is collected, read back and judged.

mod collect;
mod contents;
mod file;
mod judged;
mod manifest;

pub use collect::{Collected, Outside, collect};
pub use contents::Contents;
pub use file::{LARGEST, Opened, Source, damaged, open};
pub use judged::{Judged, Newer, judge, newer};
pub use manifest::{LeftOut, Manifest};

/// Of everything in it, in bytes: more is no tree of keys and certificates.
pub const LIMIT: u64 = 1 << 30;
