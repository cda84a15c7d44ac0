//! What a password locks: encrypted PKCS#8 (RFC 5958), PKCS#12 (RFC 7292), Java's keystores, OpenSSH's keys, OpenSSL's old PEM,
//! the files kubeadm uploads for a joining control-plane node, and backups. aws-lc-rs does the work; the two ciphers it has dropped, which old files still carry, come from des and
//! rc2. Salts and initialisation vectors are arguments: nothing here is random.
//!
//! A file states how often a password is to be hashed, so every reader here has an upper bound.

mod budget;
mod cipher;
mod derive;
mod error;
mod jks;
pub mod kubeadm;
pub mod old_pem;
pub mod openssh;
mod params;
mod password;
pub mod pkcs12;
pub mod pkcs8;
mod scheme;
pub mod sealed;
mod store;

pub use error::EncryptionError;
pub use password::Password;
pub use store::Store;
