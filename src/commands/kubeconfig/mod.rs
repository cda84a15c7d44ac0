//! `kpki kubeconfig user`: a credential for a person or a program, signed by the cluster's authority and recorded in
//! the journal. Nothing in the tree changes but the journal, in one transaction with the file of the kubeconfig.

mod guard;
mod policy;
mod request;
mod run;

pub use request::Request;
pub use run::user;
