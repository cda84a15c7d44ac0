//! Public keys, and the hashes they and certificates are known by.

use ring::digest;

use crate::encoding::public_key::{self, KeyKind};
use crate::encoding::tlv::NotDer;

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
