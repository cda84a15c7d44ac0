//! `kpki import`: externally signed certificates put in place. Match each with its key, judge all, commit.

mod arranged;
mod authority;
mod candidates;
mod expected;
mod importing;
mod place;
mod request;
mod run;
mod waiting;

pub use request::Request;
pub use run::run;
