//! What `kpki csr`, `kpki sign` and `kpki import` did: requests that were written, certificates that were issued for them,
//! and certificates that were put in place.

mod document;
mod table;

pub use document::{RequestEntry, RequestedFacts, Requests, Verb};
