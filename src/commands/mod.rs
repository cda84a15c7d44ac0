//! The verbs: one module per command, each a recipe that reads from top to bottom and combines the other
//! modules. They return a report; they never print.

pub mod adopt;
pub mod backup;
pub mod check_expiration;
pub mod convert;
pub mod crl;
pub mod csr;
pub mod export;
pub mod import;
pub mod init;
pub mod inspect;
pub mod issued;
pub mod key;
pub mod kubeconfig;
pub mod nodes;
pub mod plan;
pub mod profile;
pub mod remove_node;
pub mod renew;
pub mod renew_authority;
pub mod restore;
pub mod revoke;
pub mod rotate;
pub mod sign;
pub mod unpack;
pub mod verify;
