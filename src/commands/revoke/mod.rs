//! `kpki revoke`, `hold`, `release`: select certificates, find their CRL entries, refuse; under the lock read again,
//! sign the next issue of each CRL, commit.

mod evaluate;
mod file;
mod issuer;
mod known;
mod request;
mod run;
mod select;
mod summary;

pub use request::Request;
pub use run::run;
