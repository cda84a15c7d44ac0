//! TLS handshakes in memory: whether a client and a server that hold these files would accept each other. rustls speaks TLS 1.3
//! and aws-lc-rs signs; whether a certificate holds is for the one judge of paths to say (`x509::path`), so that an edge and a
//! file cannot be judged differently.

mod identity;
mod judge;
mod names;
mod shake;
#[cfg(test)]
mod tests;
mod token;
mod verifier;

pub use identity::{Identity, Unusable};
pub use judge::{Reason, Trust, named};
pub use shake::{Client, Server, Shaker, Side};
pub use token::{TokenError, signs_for};
