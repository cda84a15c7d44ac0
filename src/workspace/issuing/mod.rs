//! Certificates from an issuer: a program that is asked, under the lock, for what an authority elsewhere is to sign.
//!
//! A request is committed with its key before its issuer is asked, and stays until its certificate is committed: an issuer knows a
//! request again by its digest, so that a run that was killed in between asks for nothing new. An answer passes what `kpki import`
//! demands of a certificate in a file.

mod ask;
mod question;
mod take;

pub use ask::{Answer, ask, orders};
pub use question::VARIABLES;
pub use take::{Issued, take};
