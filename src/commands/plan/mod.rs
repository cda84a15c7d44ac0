//! `kpki plan`: what `init` and `renew all --due` would do to every cluster, asked of these two verbs themselves.

mod changes;
mod cluster;
mod request;
mod run;

pub use request::{One, Request, Verbs};
pub use run::run;
