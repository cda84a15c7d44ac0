//! `kpki init`: the whole tree from a profile. Resolve, evaluate, refuse, make in memory, commit, report.

mod bootstrap;
mod evaluate;
mod external;
mod issued;
mod job;
mod keys;
mod make;
mod request;
mod resolve;
mod run;
mod summary;

pub use request::Request;
pub use run::run;
