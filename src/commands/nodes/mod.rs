//! `kpki nodes`: what the safe host knows of its nodes, and `kpki nodes merge`: what the nodes' receipts bring to it.

mod accept;
mod events;
mod journal;
mod known;
mod lists;
mod merge;
mod next;
mod request;
mod standing;
mod status;
mod summary;
mod theirs;

pub use crate::workspace::shipping::given::Input;
pub use merge::merge;
pub use request::{MergeRequest, Request};
pub use status::status;
