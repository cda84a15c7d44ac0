//! `kpki convert`: files of every kind into one another. Everything is read, converted and read back in memory; then it is
//! written, all or nothing.

mod check;
mod containers;
mod deploy;
mod documents;
mod forms;
mod identity;
mod kubeadm;
mod load;
mod loaded;
mod manifest;
mod names;
mod object;
mod pack;
mod publish;
mod request;
mod run;
mod sources;
mod trust;
mod write;

#[cfg(feature = "internals")]
pub use documents::count;
pub use kubeadm::certificate_key;
pub use request::{Form, Input, Request};
pub use run::run;
