//! What `kpki adopt` makes of the files of existing nodes. Pure: files in; members, a profile, the files of a cluster directory
//! and everything that speaks against it out.
//!
//! [`files`] are a node's files as they were read, [`member`] the node they are of, [`shared`] what all nodes have to have in
//! common, [`belongs`] whether a node's certificates are of that cluster, [`derive`] the profile that says what is there,
//! [`assemble`] which file goes where and [`left`] which do not.

pub mod assemble;
pub mod belongs;
pub mod cluster;
pub mod derive;
pub mod files;
pub mod left;
pub mod lifetimes;
pub mod lists;
pub mod member;
pub mod names;
pub mod refusal;
pub mod shared;

pub use files::{NodeFiles, Raw, RawKind};
pub use member::Member;
pub use refusal::Refusal;

#[cfg(test)]
mod tests;
