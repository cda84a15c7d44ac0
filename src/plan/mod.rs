//! Pure: the decisions of a verb, before it writes anything. [`init`] turns a profile and the catalogue into items in
//! signing order; [`reconcile`] compares them with the existing files.

pub mod adopt;
pub mod backup;
pub mod blueprints;
pub mod certificate_request;
pub mod changed;
pub mod cluster_objects;
pub mod csr_manifest;
pub mod decision;
pub mod guard;
pub mod import;
pub mod init;
pub mod item;
mod kept;
pub mod list_merge;
pub mod names_policy;
pub mod node;
pub mod node_age;
pub mod node_keys;
pub mod node_lists;
pub mod node_phase;
pub mod outside;
pub mod reconcile;
pub mod renew;
pub mod renew_authority;
pub mod restore;
pub mod revoke;
pub mod rotate;
pub mod running;
pub mod sans;
pub mod several;
pub mod shipping;
pub mod sign;
pub mod signer_file;
pub mod subject;
pub mod unpack;

#[cfg(test)]
mod judges_tests;
