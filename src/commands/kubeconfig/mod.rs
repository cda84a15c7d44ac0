//! `kpki kubeconfig user`: a credential for a person or a program, signed by the cluster's authority and recorded in
//! the journal. Nothing in the tree changes but the journal.

mod guard;
mod policy;
mod request;
mod run;

pub use guard::check;
pub use request::Request;
pub use run::{user, write};
