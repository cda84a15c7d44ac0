//! `kpki export`: the files of one node as a tar file whose bytes depend on nothing else; and on the node, whether the
//! files are that node's.

mod archived;
mod behind;
mod collect;
mod lists;
mod older;
mod own;
mod request;
mod run;
mod shipped;
mod source;
mod verify;

pub use request::Request;
pub use run::{check, run, write};
pub use shipped::record;
pub use verify::{Request as VerifyRequest, receipt, verify};
