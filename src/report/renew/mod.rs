//! What `kpki renew` did, or would do.

mod afterwards;
mod document;
mod table;

pub use super::certificate::Side;
pub use afterwards::{Afterwards, afterwards};
pub use document::{Action, Failure, Outcome, Renew, RenewalEntry, Tree};
