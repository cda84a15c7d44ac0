//! `kpki sign`: certificates for signing requests. Read, judge all, sign in memory, journal, write.

mod cfssl;
mod jobs;
mod judge;
mod manifest;
mod policy;
mod request;
mod run;
mod signer;
mod terms;

#[cfg(feature = "internals")]
pub use manifest::request as request_in;
pub use request::Request;
pub use run::{Outcome, run};
