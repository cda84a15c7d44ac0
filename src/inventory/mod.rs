//! What is in a tree, a file or any directory: certificates, CRLs and what they say, as slim facts. Reads only, of keys
//! only whose they are, and never from a network; one unreadable file never hides the others.

mod around;
mod containers;
mod content;
mod crls;
mod der;
mod directories;
mod expected;
mod facts;
mod fleet;
mod found;
mod framing;
mod item;
mod keys;
mod kubeconfigs;
mod load;
mod manifests;
mod marks;
mod object;
mod pem;
mod places;
mod request;
mod revoked;
mod rootfs;
mod shared;
#[cfg(test)]
mod tests;
mod tree;
mod unreadable;
mod walk;

#[cfg(any(test, feature = "internals"))]
pub use content::alone as objects;
pub use crls::{crls, walk as walk_crl};
pub use directories::{is_cluster, is_node};
pub use facts::{Attributes, CertificateFacts, CrlFacts};
pub use fleet::{all, tree};
pub use item::{Item, Kind, Reading, Tree};
pub use kubeconfigs::looks_like as looks_like_kubeconfig;
pub use manifests::looks_like as looks_like_manifest;
pub use places::{ExpectedFile, Places, required};
pub use request::{Form, Request, requests};
pub use unreadable::Unreadable;
