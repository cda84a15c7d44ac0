//! What somebody else has signed, on its way into a tree: matched with its key, judged, and turned into files. The same for a
//! certificate in a file (`kpki import`) and for an issuer's answer.

mod arranged;
mod authority;
pub mod candidates;
mod context;
mod expected;
mod leaf;
mod place;

pub use arranged::Arranged;
pub use candidates::Candidate;
pub use context::{Importing, Placed};
