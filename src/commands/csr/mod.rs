//! `kpki csr`: keys and signing requests for external authorities. Resolve, evaluate, make, commit.

mod elsewhere;
mod run;
mod wanted;

pub use run::{Outcome, Request, run};
