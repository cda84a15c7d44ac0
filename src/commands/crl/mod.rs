//! `kpki crl`: CRLs shown, checked, and signed again before they are stale.

mod answer;
pub mod check;
mod check_request;
mod gather;
mod known;
mod lists;
pub mod show;
pub mod update;

pub use check_request::Request as CheckRequest;
