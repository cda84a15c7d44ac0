//! Public keys, and the hashes they and certificates are known by.

use ring::digest;

use crate::encoding::public_key::{self, KeyKind};
use crate::encoding::tlv::NotDer;
use crate::x509::text::decimal;

/// The kind of the key in a SubjectPublicKeyInfo.
pub fn key_kind(spki: &[u8]) -> Result<KeyKind, NotDer> {
    public_key::read(spki).map(|key| key.kind)
}

/// The public exponent of an RSA key that is not one of FIPS 186-5 section 5.4 (odd, more than 2^16, less than 2^256), in
/// decimal; `None`: it is one, or the key is of another kind.
pub fn weak_exponent(spki: &[u8]) -> Option<String> {
    let exponent = public_key::exponent(spki).ok()??;
    let is_odd = exponent.last().is_some_and(|last| last & 1 == 1);
    // Odd and of three octets is more than 2^16.
    if is_odd && (3..=32).contains(&exponent.len()) {
        return None;
    }
    Some(decimal(&[&[0], exponent].concat()))
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
