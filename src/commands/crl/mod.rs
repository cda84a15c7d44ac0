//! `kpki crl`: CRLs shown, asked, and signed anew before they go stale.

mod answer;
pub mod check;
mod check_request;
mod gather;
pub mod show;
pub mod update;

pub use check_request::Request as CheckRequest;
