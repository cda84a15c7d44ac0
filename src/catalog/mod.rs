//! The kubeadm tree as constant data, in signing order: what there is, where it is, who signs it, what it contains, which
//! nodes need it and which component must be restarted when it changes. `plan/` turns it into blueprints; nothing here
//! decides. Imports only `blueprint`, which is below.

#[cfg(any(test, feature = "internals"))]
pub mod differences;
mod entries;
mod entry;
pub mod paths;
pub mod readers;
pub mod releases;

pub use entries::{ENTRIES, find};
pub use entry::{CaId, Entry, Files, Holders, Sans, Server, Subject};
