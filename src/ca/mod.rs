//! The write side: a blueprint, a public key and a signer in, a certificate or a CRL out, all in memory. Keys are made and
//! used by aws-lc-rs through rcgen; what comes out is read again by x509-parser, compared with its blueprint, and its
//! signature verified by ring, before it leaves this room. Two independent implementations agree on everything handed out.

mod crl;
mod crl_error;
mod error;
mod issuer;
mod key;
mod parallel;
mod renew;
mod request;
mod serial;
mod sign;
mod signer;
mod signer_fault;

pub use crl::{Changes, SignedCrl, resign_crl, sign_crl};
pub use crl_error::CrlFault;
pub use error::CaError;
pub use issuer::Issuer;
pub use key::{PrivateKey, ed25519_public, generate_keys};
pub use parallel::parallel_watched;
pub use renew::renew;
pub use request::{asks_for, request};
pub use serial::serial;
pub use sign::{Signed, issue, issue_for_peers, issue_for_peers_by, self_sign};
pub use signer::{Purpose, Signer, digest, same_key};
pub use signer_fault::SignerFault;
