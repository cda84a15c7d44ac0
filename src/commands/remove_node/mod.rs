//! `kpki nodes remove`: the profile without the node, its files, the next CRLs; all in one transaction.

mod files;
mod held;
mod next_profile;
mod request;
mod revocation;
mod run;

pub use request::Request;
pub use run::run;
