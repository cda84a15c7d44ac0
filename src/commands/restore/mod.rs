//! `kpki history` and `kpki restore`: the generations a tree keeps, and going back to one.

mod choose;
mod request;
mod run;

pub use request::Request;
pub use run::{history, run};
