//! Pure: what a verb is going to do, before it touches anything. [`init`] turns a profile and the catalogue into items in
//! signing order; [`reconcile`] holds them against what already lies in the destination.

pub mod blueprints;
pub mod decision;
mod guard;
pub mod import;
pub mod init;
pub mod node;
pub mod reconcile;
pub mod renew;
pub mod restore;
pub mod revoke;
pub mod sans;
pub mod sign;

#[cfg(test)]
mod judges_tests;
