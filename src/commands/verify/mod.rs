//! `kpki verify`: targets, everything in them as values, rules, report. Reads only: no lock, no recovery, and no network
//! unless it is asked to.

mod live;
mod read;
mod request;
mod run;
mod said;

pub use request::{Live, Request};
pub use run::run;
