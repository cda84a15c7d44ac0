//! `kpki export`: the files of one node as a tar file whose bytes depend on nothing else; and on the node, whether the
//! files are that node's.

mod archived;
mod behind;
mod collect;
mod lists;
mod older;
mod own;
mod phase;
mod request;
mod run;
mod shipped;
mod source;
mod verify;

pub use crate::workspace::out_file::{check, write};
pub use request::Request;
pub use run::run;
pub use shipped::record;
pub use verify::{Request as VerifyRequest, receipt, verify};
