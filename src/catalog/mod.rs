//! The kubeadm tree as constant data, in signing order: what there is, where it is, who signs it, what it contains, which
//! nodes need it, and in `readers` who reads it and what a new one takes to be used. `plan/` turns it into blueprints; nothing here
//! decides. Imports only `blueprint`, which is below.

pub mod bindings;
#[cfg(any(test, feature = "internals"))]
pub mod differences;
pub mod endpoints;
mod entries;
mod entry;
pub mod paths;
pub mod readers;
pub mod releases;

pub use entries::{ENTRIES, find};
pub use entry::{CaId, Entry, Files, Holders, Sans, Server, Subject};
