//! The verbs: one file per command, each a recipe that reads from top to bottom and the only place that knows more than one
//! noun. They return a report; they never print.

pub mod check_expiration;
pub mod convert;
pub mod crl;
pub mod csr;
pub mod export;
pub mod import;
pub mod init;
pub mod inspect;
pub mod kubeconfig;
pub mod profile;
pub mod renew;
pub mod restore;
pub mod revoke;
pub mod sign;
