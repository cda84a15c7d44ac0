//! A file that a passphrase locks and authenticates, in one container that any program with these RFCs opens:
//!
//! ```text
//! SEQUENCE {
//!   version    INTEGER (1),
//!   algorithm  AlgorithmIdentifier,   -- PBES2 (RFC 8018): scrypt (RFC 7914), aes256-GCM (RFC 5084) with a tag of 16 octets
//!   content    OCTET STRING }         -- the ciphertext, then the tag; no additional authenticated data
//! ```

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::EncryptionError;
use super::budget::Budget;
use super::params::{self, ids, number};
use super::scheme::{Derivation, pair};
use crate::encoding::algorithm::{self, AlgorithmIdentifier};
use crate::encoding::tlv::{self, Element, Fields, NotDer};

const VERSION: u64 = 1;
const KEY: usize = 32;
const TAG: usize = 16;
pub const SALT: usize = 16;
pub const NONCE: usize = 12;

/// How much work one guess of the passphrase is: `128 * N * r` octets of memory, here 128 MiB.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// N, a power of two.
    pub n: u32,
    pub r: u32,
    pub p: u32,
}

/// What a new file asks for: OWASP's first choice for scrypt.
pub const COST: Cost = Cost { n: 1 << 17, r: 8, p: 1 };

/// Whether this is such a file, whatever it is locked with.
pub fn is_sealed(bytes: &[u8]) -> bool {
    parts(bytes).is_ok()
}

/// Locks a content, which is overwritten. Salt and nonce are never used twice.
pub fn seal(
    mut content: Zeroizing<Vec<u8>>,
    password: &str,
    cost: Cost,
    salt: &[u8; SALT],
    nonce: &[u8; NONCE],
) -> Result<Vec<u8>, EncryptionError> {
    let derivation = Derivation::Scrypt {
        salt: salt.to_vec(),
        cost: cost.n.into(),
        block_size: cost.r.into(),
        parallel: cost.p.into(),
        key_length: None,
    };
    let key = derivation.derive(Some(password), KEY, &mut Budget::full())?;
    let tag = cipher(&key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut content)
        .map_err(|_| EncryptionError::Library)?;
    let front = [tlv::integer(&VERSION.to_be_bytes()), algorithm(cost, salt, nonce)].concat();
    let string = tlv::header(tlv::OCTET_STRING, content.len().saturating_add(TAG));
    let inside = [front.len(), string.len(), content.len(), TAG].iter().sum();
    Ok(tlv::concat(&[&tlv::header(tlv::SEQUENCE, inside), &front, &string, content.as_slice(), tag.as_ref()]))
}

/// PBES2 with what [`seal`] uses.
fn algorithm(cost: Cost, salt: &[u8], nonce: &[u8]) -> Vec<u8> {
    let whole = |value: u32| tlv::integer(&value.to_be_bytes());
    let scrypt =
        [tlv::write(tlv::OCTET_STRING, salt), whole(cost.n), whole(cost.r), whole(cost.p), tlv::integer(&[32])];
    let derivation = algorithm::write(ids::SCRYPT, &tlv::sequence(&scrypt));
    // The default length of a tag is 12 (RFC 5084 section 3.2).
    let gcm = tlv::sequence(&[tlv::write(tlv::OCTET_STRING, nonce), tlv::integer(&[16])]);
    let encryption = algorithm::write(ids::AES_256_GCM, &gcm);
    algorithm::write(ids::PBES2, &tlv::sequence(&[derivation, encryption]))
}

/// Opens a file; its bytes are overwritten. The password is wrong or a bit of it was changed: that cannot be told apart.
pub fn open(mut file: Zeroizing<Vec<u8>>, password: &str) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (key, nonce, start) = {
        let (algorithm, data) = parts(&file)?;
        let (derivation, nonce) = scheme(algorithm)?;
        let key = derivation.derive(Some(password), KEY, &mut Budget::full())?;
        (key, nonce, file.len().saturating_sub(data.len()))
    };
    // The ciphertext is the end of the file; what it becomes is moved to the front.
    let length = cipher(&key)?
        .open_within(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut file, start..)
        .map_err(|_| EncryptionError::WrongPassword)?
        .len();
    file.truncate(length);
    Ok(file)
}

fn cipher(key: &[u8]) -> Result<LessSafeKey, EncryptionError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| EncryptionError::Library)
}

/// The AlgorithmIdentifier, and the ciphertext with its tag.
fn parts(der: &[u8]) -> Result<(Element<'_>, &[u8]), EncryptionError> {
    let broken = |NotDer| EncryptionError::Malformed("encrypted backup");
    if let Ok(Some(header)) = tlv::read_header(der)
        && header.tag == tlv::SEQUENCE
        && header.header.saturating_add(header.content) > der.len()
    {
        return Err(EncryptionError::Truncated("encrypted backup"));
    }
    let read = || {
        let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
        let (version, algorithm) = (number(fields.element()?)?, fields.element()?);
        let data = fields.take(tlv::OCTET_STRING)?;
        fields.end()?;
        algorithm.of(tlv::SEQUENCE).map(|_| (version, algorithm, data))
    };
    match read().map_err(broken)? {
        (VERSION, algorithm, data) if data.len() >= TAG => Ok((algorithm, data)),
        (VERSION, ..) => Err(EncryptionError::Malformed("ciphertext with its tag")),
        _ => Err(EncryptionError::Malformed("encrypted backup of version 1")),
    }
}

fn scheme(algorithm: Element<'_>) -> Result<(Derivation, [u8; NONCE]), EncryptionError> {
    let broken = |NotDer| EncryptionError::Malformed("encryption algorithm");
    let outer = AlgorithmIdentifier::read(algorithm.raw).map_err(broken)?;
    if outer.id != ids::PBES2 {
        return Err(params::unsupported("password-based encryption", outer.id));
    }
    let (derivation, encryption) = outer.parameters.ok_or(NotDer).and_then(pair).map_err(broken)?;
    let encryption = AlgorithmIdentifier::read(encryption.raw).map_err(broken)?;
    if encryption.id != ids::AES_256_GCM {
        return Err(params::unsupported("cipher", encryption.id));
    }
    let (nonce, tag) = encryption.parameters.ok_or(NotDer).and_then(pair).map_err(broken)?;
    let nonce = nonce.of(tlv::OCTET_STRING).map_err(broken)?;
    let nonce = nonce.try_into().map_err(|_| EncryptionError::Malformed("nonce of 12 octets"))?;
    if number(tag).map_err(broken)? != 16 {
        return Err(EncryptionError::Malformed("tag of 16 octets"));
    }
    Ok((Derivation::read(derivation.raw)?, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHEAP: Cost = Cost { n: 2, r: 1, p: 1 };

    fn sealed(content: &[u8], cost: Cost) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(seal(Zeroizing::new(content.to_vec()), "secret", cost, &[1; SALT], &[2; NONCE]).unwrap())
    }

    #[test]
    fn what_is_sealed_opens_with_its_password_only() {
        for length in [0, 1, 100, 1000, 70_000] {
            let content = vec![b'k'; length];
            let file = sealed(&content, CHEAP);
            assert!(is_sealed(&file) && !file.windows(8).any(|part| part == b"kkkkkkkk"));
            assert_eq!(*open(file.clone(), "secret").unwrap(), content);
            assert_eq!(open(file, "Secret"), Err(EncryptionError::WrongPassword));
        }
    }

    /// Octet by octet as documented.
    #[test]
    fn the_container_is_as_it_is_documented() {
        let file = sealed(b"tar", COST);
        let hex: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
        let front = concat!(
            "3076020101305c06092a864886f70d01050d304f",
            // scrypt: salt, N 131072, r 8, p 1, a key of 32 octets.
            "302d06092b06010401da47040b302004100101010101010101010101010101010102030200000201080201010201",
            "20",
            // aes256-GCM: nonce, a tag of 16 octets.
            "301e060960864801650304012e3011040c020202020202020202020202020110",
            "0413"
        );
        assert!(hex.starts_with(front) && hex.len() == front.len() + 2 * (3 + TAG), "{hex}");
        assert_eq!(*open(file, "secret").unwrap(), b"tar");
    }

    #[test]
    fn a_flipped_bit_anywhere_and_a_missing_end_are_refused() {
        let file = sealed(b"the content of an archive", CHEAP);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut other = file.clone();
                other[at] ^= 1 << bit;
                assert!(open(other, "secret").is_err(), "octet {at} bit {bit}");
            }
            assert!(open(Zeroizing::new(file[..at].to_vec()), "secret").is_err(), "{at}");
        }
        assert!(open(Zeroizing::new([file.as_slice(), &[0]].concat()), "secret").is_err());
    }

    #[test]
    fn work_and_memory_are_refused_before_they_are_spent() {
        let file = |cost| {
            let front = [tlv::integer(&[1]), algorithm(cost, &[1; SALT], &[2; NONCE])];
            Zeroizing::new(tlv::sequence(&[front.concat(), tlv::write(tlv::OCTET_STRING, &[0; 64])]))
        };
        let memory = open(file(Cost { n: 1 << 31, r: 8, p: 1 }), "x");
        assert!(matches!(memory, Err(EncryptionError::TooMuchMemory { .. })), "{memory:?}");
        let work = open(file(Cost { n: 1 << 14, r: 8, p: 1 << 20 }), "x");
        assert!(matches!(work, Err(EncryptionError::TooMuchWork { .. })), "{work:?}");
        for cost in [Cost { n: 3, r: 8, p: 1 }, Cost { n: 1, r: 8, p: 1 }] {
            assert!(open(file(cost), "x").is_err(), "{cost:?}");
        }
        // What a new file asks for is allowed.
        assert_eq!(open(file(COST), "x"), Err(EncryptionError::WrongPassword));
    }

    proptest! {
        #[test]
        fn whatever_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open(Zeroizing::new(bytes), "secret").is_err());
        }

        #[test]
        fn a_mangled_file_is_refused(at in 0_usize..150, with in proptest::collection::vec(any::<u8>(), 1..20)) {
            let mut file = sealed(b"the content of an archive", CHEAP);
            let (at, before) = (at.min(file.len()), file.clone());
            let end = (at + with.len()).min(file.len());
            file.splice(at..end, with);
            prop_assume!(file != before);
            // A mangled cost stays below the bounds, or it is refused before it is spent.
            prop_assert!(open(file, "secret").is_err());
        }
    }
}
