//! `kpki sign`: certificates for signing requests. Read, judge all, sign in memory, journal, write.

mod cfssl;
mod jobs;
mod manifest;
mod policy;
mod request;
mod run;
mod signer;
mod terms;

pub use request::Request;
pub use run::{Outcome, run};
