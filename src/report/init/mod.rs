//! What `kpki init` did, or would do.

mod document;
mod table;

pub use document::{Init, Item, Outcome};
