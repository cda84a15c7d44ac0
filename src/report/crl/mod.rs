//! What `kpki crl show` and `kpki crl check` say.

mod check;
mod show;

pub use check::{Answer, CheckedCertificate, CheckedCrl, CrlCheck, CrlState, Look, Looks};
pub use show::{CrlEntry, CrlHead};
