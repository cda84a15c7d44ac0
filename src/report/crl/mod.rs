//! What `kpki crl show` and `kpki crl check` say.

mod check;
mod show;

pub use check::{Answer, Certificate, Checked, List, ListState};
pub use show::{Entry, Head};
