//! Between a safe host and its nodes: what an archive says of itself, the files on a node, and the receipt that a node sends
//! back.

pub mod collect;
pub mod digest;
pub mod lists;
pub mod manifest;
pub mod node_entries;
mod processes;
pub mod receipt;
pub mod unpacked;
