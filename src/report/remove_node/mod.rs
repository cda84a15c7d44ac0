//! What `kpki nodes remove` did, or would do.

mod document;
mod table;

pub use document::Removed;
