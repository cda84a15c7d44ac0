//! `kpki csr`: keys and signing requests for external authorities. Resolve, evaluate, make, commit.

mod elsewhere;
mod run;

pub use run::{Request, run};
