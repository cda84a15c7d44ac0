//! What `kpki key` says. Nothing of a key.

mod changed;
mod list;

pub use changed::{Action, Changed, Row};
pub use list::{Copy, Key, Keys};
