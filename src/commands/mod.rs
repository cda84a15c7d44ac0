//! The verbs: one file per command, each a recipe that reads from top to bottom and the only place that knows more than one
//! noun. They return a report; they never print.

mod cfssl;
mod cfssl_profiles;
pub mod check_expiration;
pub mod convert;
pub mod crl;
mod crls;
pub mod csr;
pub mod export;
mod facts;
pub mod import;
pub mod init;
pub mod inspect;
pub mod journal;
pub mod kubeconfig;
mod place;
pub mod profile;
pub mod renew;
mod requests;
mod restarts;
pub mod restore;
pub mod revoke;
pub mod sign;
mod survey;
mod targets;

/// Told how many of how many pieces of a long work are done, on the caller's thread.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);
