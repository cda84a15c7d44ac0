//! What is in a tree, a file or any directory: certificates, CRLs and what they say, as slim facts. Reads only, of keys
//! only whose they are, and never from a network; one unreadable file never hides the others.

mod content;
mod crls;
mod directories;
mod expected;
mod facts;
mod fleet;
mod item;
mod keys;
mod kubeconfigs;
mod load;
mod object;
mod pem;
mod request;
mod revoked;
mod secrets;
#[cfg(test)]
mod tests;
mod tree;
mod unreadable;
mod walk;

#[cfg(any(test, feature = "internals"))]
pub use content::objects;
pub use crls::{crls, walk as walk_crl};
pub use directories::is_cluster;
pub use facts::{Attributes, CertificateFacts, CrlFacts};
pub use fleet::{all, tree};
pub use item::{Item, Kind, Reading, Tree};
pub use request::{Form, Request, requests};
pub use secrets::parts as secrets;
pub use unreadable::Unreadable;
