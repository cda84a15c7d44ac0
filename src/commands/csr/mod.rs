//! `kpki csr`: keys and signing requests for external authorities. Resolve, evaluate, make, commit.

mod elsewhere;
mod manifests;
mod request;
mod run;
mod wanted;

pub use request::{Outcome, Request};
pub use run::run;
