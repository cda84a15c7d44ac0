//! `kpki import`: externally signed certificates put in place. Match each with its key, judge all, commit.

mod request;
mod run;
mod waiting;

pub use request::Request;
pub use run::run;
