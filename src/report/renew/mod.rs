//! What `kpki renew` did, or would do.

mod document;
mod table;

pub use super::certificate::Side;
pub use document::{Action, Failure, Outcome, Renew, RenewalEntry, Tree};
