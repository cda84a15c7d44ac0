//! `kpki rotate scan`: dumps of a cluster's objects, kubeconfigs and files, and where the authority that is replaced still is in
//! them. Reads only, and no network.

mod request;
mod run;
mod sought;

pub use request::{Input, Request};
pub use run::run;
