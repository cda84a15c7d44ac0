//! What `kpki revoke`, `hold`, `release` and `crl update` did, or would do.

mod document;
mod table;

pub use document::{Action, CrlRow, Revocation, RevocationEntry, Signing};
