//! Passwords into keys: PBKDF2 (RFC 8018 section 5.2) and PKCS#12's own way (RFC 7292 appendix B). And the codes that tell
//! whether a file was changed.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use md5::Digest as _;
use zeroize::Zeroizing;

use super::EncryptionError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        }
    }

    const fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => hmac::HMAC_SHA224,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha384 => hmac::HMAC_SHA384,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    /// Of its output, in bytes.
    pub fn length(self) -> usize {
        self.digest().output_len()
    }

    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        digest::digest(self.digest(), bytes).as_ref().to_vec()
    }

    pub fn mac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(self.hmac(), key), bytes).as_ref().to_vec()
    }

    /// In constant time.
    pub fn is_mac(self, key: &[u8], bytes: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&hmac::Key::new(self.hmac(), key), bytes, mac).is_ok()
    }
}

/// The iterations are bounded by the caller.
pub fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let algorithm = match hash {
        Hash::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Hash::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Hash::Sha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Hash::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        Hash::Sha224 => return Err(EncryptionError::Malformed("PBKDF2 pseudo-random function")),
    };
    let iterations = NonZeroU32::new(iterations).ok_or(EncryptionError::Malformed("iteration count"))?;
    let mut key = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(algorithm, iterations, salt, password, &mut key);
    Ok(key)
}

/// MD5 of parts one behind the other: not in aws-lc-rs, and in old files.
pub fn md5(parts: &[&[u8]]) -> Zeroizing<[u8; 16]> {
    let mut hash = md5::Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    Zeroizing::new(hash.finalize().into())
}

/// OpenSSL's EVP_BytesToKey with MD5 and one round.
pub fn openssl_md5(password: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length.saturating_add(16)));
    let mut last = Zeroizing::new(Vec::new());
    while key.len() < length {
        last = Zeroizing::new(md5(&[&last, password, salt]).to_vec());
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

/// What PKCS#12 derives for (RFC 7292 appendix B.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    Key = 1,
    Iv = 2,
    Mac = 3,
}

/// The password as a BMPString with its two final zero octets (RFC 7292 appendix B.1); an absent one is nothing at all.
fn bmp(password: Option<&str>) -> Zeroizing<Vec<u8>> {
    let Some(password) = password else { return Zeroizing::default() };
    // UTF-16 has at most two octets for each one of UTF-8.
    let mut bytes = Zeroizing::new(Vec::with_capacity(password.len().saturating_mul(2).saturating_add(2)));
    for unit in password.encode_utf16().chain([0]) {
        bytes.extend_from_slice(&unit.to_be_bytes());
    }
    bytes
}

/// Whole copies of `text`, the last one cut, up to a multiple of the block.
fn repeated(text: &[u8], block: usize) -> Zeroizing<Vec<u8>> {
    let length = text.len().div_ceil(block).saturating_mul(block);
    let mut filled = Zeroizing::new(Vec::with_capacity(length));
    filled.extend(text.iter().cycle().take(length));
    filled
}

/// RFC 7292 appendix B.2. The iterations are bounded by the caller.
pub fn pkcs12(
    hash: Hash,
    purpose: Purpose,
    password: Option<&str>,
    salt: &[u8],
    iterations: u32,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = hash.digest().block_len();
    let diversifier = vec![purpose as u8; block];
    let (salt, password) = (repeated(salt, block), repeated(&bmp(password), block));
    let mut input = Zeroizing::new([salt.as_slice(), &password].concat());
    let mut key = Zeroizing::new(Vec::with_capacity(length.saturating_add(hash.length())));
    while key.len() < length {
        let mut context = digest::Context::new(hash.digest());
        context.update(&diversifier);
        context.update(&input);
        let mut output = context.finish();
        for _ in 1..iterations {
            output = digest::digest(hash.digest(), output.as_ref());
        }
        key.extend_from_slice(output.as_ref());
        // Every block of the input becomes itself plus the output plus one.
        let addend = repeated(output.as_ref(), block);
        let addend = addend.get(..block).unwrap_or_default();
        for part in input.chunks_exact_mut(block) {
            let mut carry = 1u16;
            for (octet, add) in part.iter_mut().zip(addend).rev() {
                let sum = u16::from(*octet) + u16::from(*add) + carry;
                let [high, low] = sum.to_be_bytes();
                *octet = low;
                carry = u16::from(high);
            }
        }
    }
    key.truncate(length);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// RFC 6070 (SHA-1) and RFC 7914 section 11 (SHA-256).
    #[test]
    fn pbkdf2_gives_the_published_keys() {
        let key = pbkdf2(Hash::Sha1, b"password", b"salt", 4096, 20).unwrap();
        assert_eq!(hex(&key), "4b007901b765489abead49d926f721d065a429c1");
        let key = pbkdf2(Hash::Sha256, b"passwd", b"salt", 1, 32).unwrap();
        assert_eq!(hex(&key), "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
        assert!(pbkdf2(Hash::Sha256, b"x", b"y", 0, 32).is_err());
    }

    /// Values that OpenSSL's and Bouncy Castle's tests agree on, for the password `smeg`.
    #[test]
    fn pkcs12_gives_the_known_keys() {
        let salt = [0x0a, 0x58, 0xcf, 0x64, 0x53, 0x0d, 0x82, 0x3f];
        let key = pkcs12(Hash::Sha1, Purpose::Key, Some("smeg"), &salt, 1, 24);
        assert_eq!(hex(&key), "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3");
        let iv = pkcs12(Hash::Sha1, Purpose::Iv, Some("smeg"), &salt, 1, 8);
        assert_eq!(hex(&iv), "79993dfe048d3b76");
    }

    #[test]
    fn an_absent_password_is_not_an_empty_one() {
        assert_eq!(bmp(None).as_slice(), b"");
        assert_eq!(bmp(Some("")).as_slice(), [0, 0]);
        assert_eq!(bmp(Some("aé")).as_slice(), [0, b'a', 0, 0xe9, 0, 0]);
        let key = |password| pkcs12(Hash::Sha256, Purpose::Mac, password, b"saltsalt", 3, 32);
        assert_ne!(key(None), key(Some("")));
    }
}
