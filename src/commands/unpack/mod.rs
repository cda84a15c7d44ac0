//! `kpki unpack`, on the node: the archive of `kpki export` in place of what lies there, as one transaction.

mod compare;
mod contents;
mod evaluate;
mod identity;
mod keep;
mod kubelet;
mod left_over;
mod merge;
mod packed;
mod phase;
mod place;
mod request;
mod run;
mod summary;
mod verified;
mod waiting;

pub use request::{Input, Request};
pub use run::{Done, run};
