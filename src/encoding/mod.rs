//! Framing, not meaning: PEM, DER and the containers keys travel in. Nothing here decides what a certificate says; it
//! turns a [`crate::blueprint::Blueprint`] into bytes and bytes into elements.
//!
//! The TBSCertificate is written here and not by the signing library, because that library's distinguished name keeps one
//! value per attribute type and one attribute per RDN: it can express neither kubeadm's multi-valued O nor the name of a
//! foreign authority (two OUs, DC=example,DC=com, a TeletexString), which must be repeated byte for byte.

pub mod algorithm;
pub mod archive;
pub mod base64;
pub mod ber;
pub mod certificate;
pub mod contents;
pub mod crl;
pub mod dek_info;
pub mod embedded;
pub mod error;
pub mod extension;
pub mod found;
pub mod key;
pub mod key_container;
pub mod key_public;
pub mod loose_archive;
pub mod name;
mod name_text;
pub mod oid;
pub mod pem;
pub mod pem_blocks;
pub mod pem_label;
pub mod pem_scan;
pub mod pem_stream;
pub mod pkcs7;
pub mod public_key;
pub mod raw_key;
pub mod request;
pub mod shown;
pub mod sniff;
pub mod ssh;
pub mod tlv;
pub mod tree_archive;
pub mod yaml;

pub use error::EncodeError;
