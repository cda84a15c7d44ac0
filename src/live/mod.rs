//! What running components serve: the only room that opens a connection, and only when it is asked to. It has no credential, reads
//! no proxy variable, and sends a TLS client hello and the end of the connection.

mod deadline;
mod failure;
mod hello;
mod look;
mod peer;
mod resolve;

pub use failure::Failure;
pub use hello::Version;
pub use look::{Limits, Served, look_at_all};
pub use peer::{Host, Peer, is_loopback};
