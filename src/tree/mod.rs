//! A kubeadm tree as values: its layout, its files, its entries and authorities. Pure.

pub mod authorities;
pub mod entry_id;
pub mod entry_path;
pub mod layout;
pub mod leaf;
pub mod origin;
pub mod phases;
pub mod rotation;
pub mod safe_host;
pub mod survey;

pub use authorities::{Authorities, Authority, Former, Issuers, PlainKeys, Unusable};
pub use entry_id::EntryId;
pub use layout::{Directories, Layout, Place, Root};
pub use origin::{Origin, ProfileAt};
pub use survey::{Survey, file};
