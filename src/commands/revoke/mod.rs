//! `kpki revoke`, `hold`, `release`: which certificates, what the CRL says of each, refuse; under the lock look again, sign the
//! next issue of each CRL, commit.

mod evaluate;
mod known;
mod request;
mod run;
mod select;
mod summary;

pub use request::Request;
pub use run::run;
