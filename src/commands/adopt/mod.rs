//! `kpki adopt`: one cluster directory from the files of nodes that exist already. Read every node whole, find what they have in
//! common, refuse all that does not belong together, commit, report what differs.

mod archives;
mod bounds;
mod decide;
mod directories;
mod inputs;
mod request;
mod run;
mod summary;

pub use request::{NodeInput, Request};
pub use run::run;
