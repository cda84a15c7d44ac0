//! What `kpki renew` did, or would do.

mod document;
mod table;

pub use super::certificate::Side;
pub use super::restart::Restart;
pub use document::{Action, Entry, Failure, Hook, Outcome, Renew, Tree};
