//! `kpki verify`: targets, everything in them as values, rules, report. Reads only: no network, no lock, no recovery.

mod request;
mod run;

pub use request::Request;
pub use run::run;
