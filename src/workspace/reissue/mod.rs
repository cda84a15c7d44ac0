//! From decisions of `plan::renew` to the bytes of new files, all in memory.

mod made;
mod rewritten;

pub use made::{Made, make};
pub use rewritten::rewritten;
