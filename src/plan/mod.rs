//! Pure: the decisions of a verb, before it writes anything. [`init`] turns a profile and the catalogue into items in
//! signing order; [`reconcile`] compares them with the existing files.

pub mod adopt;
pub mod blueprints;
pub mod csr_manifest;
pub mod decision;
pub mod guard;
pub mod import;
pub mod init;
pub mod item;
mod kept;
pub mod names_policy;
pub mod node;
pub mod outside;
pub mod reconcile;
pub mod renew;
pub mod restore;
pub mod revoke;
pub mod sans;
pub mod sign;
pub mod signer_file;
pub mod subject;

#[cfg(test)]
mod judges_tests;
