//! The read side: bytes in, owned facts out, and what other people's code says about a signature or a chain. Parsing by
//! x509-parser, signatures by ring, chains by rustls-webpki: none of them is what `ca` signs with.

pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod compare;
mod extension;
pub mod verify;

use ring::digest;

pub use crate::encoding::public_key::{KeyKind, OtherKey};
use crate::encoding::{public_key, tlv::NotDer};
pub use bundle::{BundleError, parse_pem_bundle};
pub use certificate::{Certificate, ParseError};
pub use chain::{ChainError, Usage, valid_for_name, verify_for};
pub use compare::{Mismatch, compare};
pub use verify::VerifyError;

/// The kind of the key in a SubjectPublicKeyInfo.
pub fn key_kind(spki: &[u8]) -> Result<KeyKind, NotDer> {
    public_key::read(spki).map(|key| key.kind)
}

/// subjectKeyIdentifier: the leftmost 160 bits of the SHA-256 of the subjectPublicKey bits (RFC 7093 section 2 method 1).
pub fn key_identifier(spki: &[u8]) -> Result<[u8; 20], NotDer> {
    let key = public_key::read(spki)?;
    sha256(key.bits).first_chunk().copied().ok_or(NotDer)
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}
