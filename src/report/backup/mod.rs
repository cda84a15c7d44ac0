//! What `kpki backup` says: of a new backup, of one that was verified, of one that was restored. Nothing of the content.

mod made;
mod restored;
mod summary;
mod verified;

pub use made::Made;
pub use restored::{Moved, Restored};
pub use summary::{Authority, Key, Summary};
pub use verified::{Compared, State, Verified};
