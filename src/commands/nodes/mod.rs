//! `kpki nodes`: what the safe host knows of its nodes, and `kpki nodes merge`: what the nodes' receipts bring to it.

mod accept;
mod journal;
mod lists;
mod merge;
mod receipts;
mod standing;
mod status;

pub use merge::{Request as MergeRequest, merge};
pub use receipts::Input;
pub use status::{Request, status};
