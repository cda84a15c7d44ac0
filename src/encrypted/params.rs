//! The algorithms of password-based encryption by their object identifiers.

use super::EncryptionError;
use super::cipher::Cipher;
use super::derive::Hash;
use crate::encoding::oid;
use crate::encoding::tlv::{self, Element, NotDer};

/// Object identifiers as the content octets of their elements.
pub mod ids {
    pub const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 12];
    pub const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13];
    pub const PBMAC1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 14];
    pub const SCRYPT: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 4, 11];
    pub const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 9];
    pub const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42];
    pub const AES_256_GCM: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 46];
    pub const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
    pub const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    /// pbeWithSHAAnd3-KeyTripleDES-CBC
    pub const SHA1_TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 3];
}

/// RFC 8018 appendix B.1.
const PRFS: &[(&[u8], Hash)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 7], Hash::Sha1),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 8], Hash::Sha224),
    (ids::HMAC_SHA256, Hash::Sha256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 10], Hash::Sha384),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 11], Hash::Sha512),
];

const DIGESTS: &[(&[u8], Hash)] = &[
    (ids::SHA1, Hash::Sha1),
    (ids::SHA256, Hash::Sha256),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2], Hash::Sha384),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3], Hash::Sha512),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4], Hash::Sha224),
];

/// RFC 8018 appendix B.2.
const CIPHERS: &[(&[u8], Cipher)] = &[
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 2], Cipher::Aes128),
    (&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 22], Cipher::Aes192),
    (ids::AES_256_CBC, Cipher::Aes256),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 3, 7], Cipher::TripleDes),
];

/// RFC 7292 appendix C.
const PKCS12: &[(&[u8], Cipher)] = &[
    (ids::SHA1_TRIPLE_DES, Cipher::TripleDes),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 4], Cipher::TwoKeyTripleDes),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 5], Cipher::Rc2With128Bits),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1, 6], Cipher::Rc2With40Bits),
];

/// What an algorithm is called that is not known in this role.
pub fn unsupported(role: &'static str, id: &[u8]) -> EncryptionError {
    oid::read(id)
        .map_or(EncryptionError::Malformed("object identifier"), |oid| EncryptionError::Unsupported { role, oid })
}

fn in_table<T: Copy>(table: &[(&[u8], T)], role: &'static str, id: &[u8]) -> Result<T, EncryptionError> {
    find(table, id).ok_or_else(|| unsupported(role, id))
}

fn find<T: Copy>(table: &[(&[u8], T)], id: &[u8]) -> Option<T> {
    table.iter().find(|(known, _)| *known == id).map(|(_, value)| *value)
}

pub fn prf(id: &[u8]) -> Result<Hash, EncryptionError> {
    in_table(PRFS, "pseudo-random function", id)
}

pub fn digest(id: &[u8]) -> Result<Hash, EncryptionError> {
    in_table(DIGESTS, "digest", id)
}

pub fn cipher(id: &[u8]) -> Result<Cipher, EncryptionError> {
    in_table(CIPHERS, "cipher", id)
}

pub fn pkcs12_cipher(id: &[u8]) -> Option<Cipher> {
    find(PKCS12, id)
}

/// A positive INTEGER; one that is too large for 64 bits is as large as they go, which no bound allows.
pub fn number(element: Element<'_>) -> Result<u64, NotDer> {
    let octets = match element.content {
        // Zero is no count of anything here.
        [0] => return Err(NotDer),
        _ => tlv::unsigned(element)?,
    };
    if octets.len() > 8 {
        return Ok(u64::MAX);
    }
    Ok(octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}
