//! Between a safe host and its nodes: what an archive says of itself, the files on a node, and the receipt that a node sends
//! back.

pub mod collect;
pub mod digest;
pub mod given;
pub mod lists;
pub mod manifest;
pub mod node_entries;
pub mod nodes;
pub mod nonce;
pub mod one_of_several;
pub mod processes;
pub mod receipt;
mod receipt_check;
pub mod unpacked;
