//! The verbs: one file per command, each a recipe that reads from top to bottom and the only place that knows more than one
//! noun. They return a report; they never print.

pub mod check_expiration;
pub mod convert;
pub mod export;
mod facts;
pub mod init;
pub mod inspect;
pub mod journal;
pub mod kubeconfig;
mod place;
pub mod profile;
pub mod renew;
mod restarts;
pub mod restore;
mod survey;
mod targets;

/// Told how many of how many pieces of a long work are done, on the caller's thread.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);
