//! `kpki backup`: a whole tree in one encrypted file, and back.

mod make;
mod request;
mod restore;
mod summary;
mod verify;

pub use crate::workspace::out_file::{check, write};
pub use make::run;
pub use request::{Passphrase, Request, RestoreRequest, VerifyRequest};
pub use restore::run as restore;
pub use verify::run as verify;
