//! PKCS#12 (RFC 7292): certificates and keys in one file behind one password. Read: what OpenSSL, Java, NSS and Windows have
//! written since 1999, DER or BER. Written: today's algorithms, or those an old reader needs.

mod bags;
mod content;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub use content::{Bag, Content, Opened, Strength};
pub use read::open;
pub use write::{Random, local_key_id, seal};
