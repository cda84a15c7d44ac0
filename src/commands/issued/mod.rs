//! `kpki history --issued` and `--revoked`: what the journals of one tree or of a fleet say.

mod request;
mod rows;
mod run;

pub use request::{From, Request, What};
pub use run::run;
