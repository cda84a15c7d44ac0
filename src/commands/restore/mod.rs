//! `kpki history` and `kpki restore`: the generations of a tree, and restoring one.

mod choose;
mod phase;
mod plain;
mod request;
mod run;

pub use request::Request;
pub use run::{history, run};
