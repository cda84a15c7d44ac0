//! EncryptedPrivateKeyInfo (RFC 5958 section 3): a PKCS#8 key behind a password.

use zeroize::Zeroizing;

use super::EncryptionError;
use super::budget::Budget;
use super::password::first_that_fits;
use super::scheme::Scheme;
use crate::encoding::key_container::Pkcs8;
use crate::encoding::tlv::{self, Fields, NotDer};

/// What a new file asks for: OWASP's figure for PBKDF2 with HMAC-SHA-256.
pub const ITERATIONS: u32 = 600_000;

/// Whether DER has the shape of one; it may still be encrypted with an unknown scheme.
pub fn is_encrypted(der: &[u8]) -> bool {
    parts(der).is_ok()
}

/// The AlgorithmIdentifier and the ciphertext.
fn parts(der: &[u8]) -> Result<(&[u8], &[u8]), NotDer> {
    let mut fields = Fields::inside(der, tlv::SEQUENCE)?;
    let algorithm = fields.element()?;
    let data = fields.take(tlv::OCTET_STRING)?;
    fields.end()?;
    algorithm.of(tlv::SEQUENCE).map(|_| (algorithm.raw, data))
}

/// PrivateKeyInfo as DER. Without a password, the empty one is tried.
pub fn open(der: &[u8], password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let mut budget = Budget::full();
    first_that_fits(password, |password| open_with(der, password, &mut budget))
}

pub(super) fn open_with(
    der: &[u8],
    password: Option<&str>,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (algorithm, data) = parts(der).map_err(|NotDer| EncryptionError::Malformed("encrypted private key"))?;
    let key = Scheme::read(algorithm)?.decrypt(password, data, budget)?;
    // A wrong key leaves valid padding once in 256 times, but no PrivateKeyInfo.
    if Pkcs8::read(&key).is_ok() { Ok(key) } else { Err(EncryptionError::WrongPassword) }
}

/// Locks PrivateKeyInfo with PBES2: PBKDF2 with HMAC-SHA-256 and [`ITERATIONS`], AES-256-CBC. Salt and initialisation vector
/// are never used twice.
pub fn seal(key: &[u8], password: &str, salt: &[u8; 16], iv: &[u8; 16]) -> Result<Vec<u8>, EncryptionError> {
    seal_with(&Scheme::modern(salt, iv, ITERATIONS), key, Some(password))
}

pub(super) fn seal_with(scheme: &Scheme, key: &[u8], password: Option<&str>) -> Result<Vec<u8>, EncryptionError> {
    let data = scheme.encrypt(password, key)?;
    Ok(tlv::sequence(&[scheme.to_der()?, tlv::write(tlv::OCTET_STRING, &data)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/convert/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    fn encrypted(name: &str) -> Vec<u8> {
        pem::read(&fixture(&format!("leaf.{name}.key"))).unwrap()[0].contents.to_vec()
    }

    const ALL: [&str; 7] =
        ["aes128-sha256", "aes192-sha384", "aes256-sha1", "aes256-sha512", "des3", "scrypt", "sha1-3des"];

    #[test]
    fn every_variety_of_openssl_is_read() {
        for name in ALL {
            let der = encrypted(name);
            assert!(is_encrypted(&der), "{name}");
            assert_eq!(*open(&der, Some("secret")).unwrap(), fixture("leaf.pkcs8.der"), "{name}");
            assert_eq!(open(&der, Some("other")), Err(EncryptionError::WrongPassword), "{name}");
            assert_eq!(open(&der, None), Err(EncryptionError::WrongPassword), "{name}");
            for length in 0..der.len() {
                assert!(matches!(open(&der[..length], Some("secret")), Err(EncryptionError::Malformed(_))), "{length}");
            }
        }
        assert!(!is_encrypted(&fixture("leaf.pkcs8.der")) && !is_encrypted(&fixture("leaf.sec1.der")));
    }

    #[test]
    fn what_is_sealed_opens_with_its_password_only() {
        let key = fixture("leaf.pkcs8.der");
        let sealed = seal(&key, "secret", &[1; 16], &[2; 16]).unwrap();
        assert_eq!(*open(&sealed, Some("secret")).unwrap(), key);
        assert_eq!(open(&sealed, Some("Secret")), Err(EncryptionError::WrongPassword));
        assert_ne!(seal(&key, "secret", &[1; 16], &[3; 16]).unwrap(), sealed);
    }

    #[test]
    fn work_and_memory_are_refused_before_they_are_spent() {
        let scheme = |iterations| Scheme::modern(&[1; 16], &[2; 16], iterations);
        for iterations in [10_000_001, 1 << 31, u32::MAX] {
            let der = tlv::sequence(&[scheme(iterations).to_der().unwrap(), tlv::write(tlv::OCTET_STRING, &[0; 16])]);
            let asked = u64::from(iterations);
            assert_eq!(open(&der, Some("x")), Err(EncryptionError::TooMuchWork { asked, most: 10_000_000 }));
        }
        let number = |n: u64| tlv::integer(&n.to_be_bytes());
        for (cost, r, p, memory) in [(1 << 40, 8, 1, true), (1 << 14, 1 << 30, 1, true), (1 << 14, 8, 1 << 20, false)] {
            let parameters =
                tlv::sequence(&[tlv::write(tlv::OCTET_STRING, &[1; 8]), number(cost), number(r), number(p)]);
            let der = encrypted("scrypt");
            // The derivation of a real file exchanged.
            let (algorithm, data) = parts(&der).unwrap();
            let outer = tlv::children(algorithm, tlv::SEQUENCE).unwrap();
            let inner = tlv::children(outer[1].raw, tlv::SEQUENCE).unwrap();
            let scrypt = crate::encoding::algorithm::write(super::super::params::ids::SCRYPT, &parameters);
            let pbes2 = tlv::sequence(&[outer[0].raw, &tlv::sequence(&[&scrypt, inner[1].raw])]);
            let bomb = tlv::sequence(&[pbes2, tlv::write(tlv::OCTET_STRING, data)]);
            match open(&bomb, Some("secret")) {
                Err(EncryptionError::TooMuchMemory { .. }) => assert!(memory),
                Err(EncryptionError::TooMuchWork { .. }) => assert!(!memory),
                other => panic!("{other:?}"),
            }
        }
    }
}
