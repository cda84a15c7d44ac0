//! How a key is locked: JKS's own way, a stream of SHA-1 over password and salt, and JCEKS's MD5 with 3DES. Both are as weak as
//! they are old.

use zeroize::Zeroizing;

use super::super::EncryptionError;
use super::super::budget::Budget;
use super::super::cipher::Cipher;
use super::super::derive::{Hash, md5};
use super::super::params::{number, unsupported};
use super::super::scheme::pair;
use crate::encoding::algorithm::AlgorithmIdentifier;
use crate::encoding::key_container::Pkcs8;
use crate::encoding::tlv::{self, NotDer};

/// 1.3.6.1.4.1.42.2.17.1.1, Sun's KeyProtector.
const KEY_PROTECTOR: &[u8] = &[0x2b, 6, 1, 4, 1, 0x2a, 2, 17, 1, 1];
/// 1.3.6.1.4.1.42.2.19.1, Sun's PBEWithMD5AndTripleDES.
const MD5_TRIPLE_DES: &[u8] = &[0x2b, 6, 1, 4, 1, 0x2a, 2, 19, 1];
const PART: &str = "locked key of a Java KeyStore";
/// Of SHA-1, in octets: salt and check of the KeyProtector, too.
const DIGEST: usize = 20;

/// Two octets for each unit of UTF-16, without an end.
pub fn wide(password: &str) -> Zeroizing<Vec<u8>> {
    let mut octets = Zeroizing::new(Vec::with_capacity(password.len().saturating_mul(2)));
    password.encode_utf16().for_each(|unit| octets.extend_from_slice(&unit.to_be_bytes()));
    octets
}

/// PrivateKeyInfo out of an EncryptedPrivateKeyInfo with Java's algorithms.
pub fn open(der: &[u8], password: &str, budget: &mut Budget) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let broken = |NotDer| EncryptionError::Malformed(PART);
    let (algorithm, sealed) = tlv::single(der).and_then(pair).map_err(broken)?;
    let algorithm = AlgorithmIdentifier::read(algorithm.raw).map_err(broken)?;
    let sealed = sealed.of(tlv::OCTET_STRING).map_err(broken)?;
    let key = match algorithm.id {
        KEY_PROTECTOR => key_protector(sealed, password)?,
        MD5_TRIPLE_DES => {
            let (salt, iterations) = algorithm.parameters.ok_or(NotDer).and_then(pair).map_err(broken)?;
            let iterations = budget.spend(number(iterations).map_err(broken)?)?;
            md5_triple_des(sealed, password, salt.of(tlv::OCTET_STRING).map_err(broken)?, iterations)?
        }
        other => return Err(unsupported("lock of a Java KeyStore's key", other)),
    };
    // A wrong key leaves valid padding once in 256 times, but no PrivateKeyInfo.
    if Pkcs8::read(&key).is_ok() { Ok(key) } else { Err(EncryptionError::WrongPassword) }
}

/// Salt, the key under the stream, and a digest of password and key.
fn key_protector(sealed: &[u8], password: &str) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let parts = sealed.split_at_checked(DIGEST).and_then(|(salt, rest)| {
        let (data, check) = rest.split_at_checked(rest.len().checked_sub(DIGEST)?)?;
        Some((salt, data, check))
    });
    let (salt, data, check) = parts.ok_or(EncryptionError::Malformed(PART))?;
    let password = wide(password);
    let digest = |more: &[u8]| Zeroizing::new(Hash::Sha1.of(&Zeroizing::new([&password, more].concat())));
    let mut key = Zeroizing::new(Vec::with_capacity(data.len()));
    let mut stream = Zeroizing::new(salt.to_vec());
    for block in data.chunks(DIGEST) {
        stream = digest(&stream);
        key.extend(block.iter().zip(stream.iter()).map(|(octet, mask)| octet ^ mask));
    }
    if digest(&key).as_slice() == check { Ok(key) } else { Err(EncryptionError::WrongPassword) }
}

/// Each half of the salt is hashed with the password, again and again; both together are the key and the initialisation vector.
fn md5_triple_des(
    sealed: &[u8],
    password: &str,
    salt: &[u8],
    iterations: u32,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let salt: &[u8; 8] = salt.try_into().map_err(|_| EncryptionError::Malformed(PART))?;
    // Java takes ASCII only.
    let password: Zeroizing<Vec<u8>> = Zeroizing::new(password.bytes().map(|octet| octet & 0x7f).collect());
    let mut keys = Zeroizing::new(Vec::with_capacity(32));
    for half in salt.chunks(4) {
        let mut hash = Zeroizing::new(half.to_vec());
        for _ in 0..iterations {
            hash = Zeroizing::new(md5(&[&hash, &password]).to_vec());
        }
        keys.extend_from_slice(&hash);
    }
    let (key, iv) = keys.split_at_checked(Cipher::TripleDes.key_length()).ok_or(EncryptionError::Library)?;
    Cipher::TripleDes.decrypt(key, iv, sealed)
}
