//! OpenSSH's private keys behind a password: bcrypt's PBKDF, then AES or 3DES (OpenSSH's PROTOCOL.key).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use zeroize::Zeroizing;

use super::EncryptionError;
use super::cipher::Cipher;
use crate::encoding::ssh::{self, Envelope};

/// ssh-keygen's own figure is 24 since OpenSSH 9.4, 16 before.
const MOST_ROUNDS: u32 = 2_000;

enum Mode {
    Cbc(Cipher),
    Counter(Cipher),
    Gcm(Cipher),
}

/// The private key as PKCS#1, SEC1 or PKCS#8. One that is not encrypted needs no password.
pub fn open(content: &[u8], password: Option<&str>) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let envelope = Envelope::read(content)?;
    if !envelope.is_encrypted() {
        return ssh::private_key(envelope.sealed)?.ok_or(EncryptionError::Malformed("OpenSSH key"));
    }
    let password = password.filter(|password| !password.is_empty()).ok_or(EncryptionError::WrongPassword)?;
    let (mode, length) = mode(envelope.cipher)?;
    if envelope.derivation != b"bcrypt" {
        return Err(EncryptionError::Malformed("OpenSSH key derivation"));
    }
    if envelope.rounds > MOST_ROUNDS {
        return Err(EncryptionError::TooMuchWork { asked: envelope.rounds.into(), most: MOST_ROUNDS.into() });
    }
    let mut keys = Zeroizing::new(vec![0; length]);
    bcrypt_pbkdf::bcrypt_pbkdf(password, envelope.salt, envelope.rounds, &mut keys)
        .map_err(|_| EncryptionError::Malformed("OpenSSH key derivation"))?;
    let plain = match mode {
        Mode::Cbc(cipher) => cbc(cipher, &keys, &envelope)?,
        Mode::Counter(cipher) => counter(cipher, &keys, &envelope)?,
        Mode::Gcm(cipher) => gcm(cipher, &keys, &envelope)?,
    };
    // What a wrong password leaves is no key; the check numbers of one in 2^32 agree.
    match ssh::private_key(&plain) {
        Ok(Some(key)) => Ok(key),
        _ => Err(EncryptionError::WrongPassword),
    }
}

/// The cipher, and the octets of key and initialisation vector.
fn mode(name: &[u8]) -> Result<(Mode, usize), EncryptionError> {
    let mode = match name {
        b"aes128-cbc" => Mode::Cbc(Cipher::Aes128),
        b"aes192-cbc" => Mode::Cbc(Cipher::Aes192),
        b"aes256-cbc" => Mode::Cbc(Cipher::Aes256),
        b"3des-cbc" => Mode::Cbc(Cipher::TripleDes),
        b"aes128-ctr" => Mode::Counter(Cipher::Aes128),
        b"aes192-ctr" => Mode::Counter(Cipher::Aes192),
        b"aes256-ctr" => Mode::Counter(Cipher::Aes256),
        b"aes128-gcm@openssh.com" => Mode::Gcm(Cipher::Aes128),
        b"aes256-gcm@openssh.com" => Mode::Gcm(Cipher::Aes256),
        _ => return Err(EncryptionError::OtherSshCipher),
    };
    let length = match &mode {
        Mode::Gcm(cipher) => cipher.key_length() + NONCE,
        Mode::Cbc(cipher) | Mode::Counter(cipher) => cipher.key_length() + cipher.block_length(),
    };
    Ok((mode, length))
}

/// Of GCM, in octets.
const NONCE: usize = 12;

fn split(cipher: Cipher, keys: &[u8]) -> Result<(&[u8], &[u8]), EncryptionError> {
    keys.split_at_checked(cipher.key_length()).ok_or(EncryptionError::Library)
}

/// OpenSSH's padding is not PKCS#7's: a block of that is put behind, so that nothing of the content is taken for padding.
fn cbc(cipher: Cipher, keys: &[u8], envelope: &Envelope<'_>) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (key, iv) = split(cipher, keys)?;
    let last = envelope.sealed.len().checked_sub(cipher.block_length()).and_then(|at| envelope.sealed.get(at..));
    let padding = cipher.encrypt(key, last.ok_or(EncryptionError::Malformed("OpenSSH key"))?, &[])?;
    cipher.decrypt(key, iv, &[envelope.sealed, &padding].concat())
}

fn counter(cipher: Cipher, keys: &[u8], envelope: &Envelope<'_>) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (key, iv) = split(cipher, keys)?;
    let algorithm = cipher.aes().ok_or(EncryptionError::Library)?;
    let key =
        UnboundCipherKey::new(algorithm, key).and_then(DecryptingKey::ctr).map_err(|_| EncryptionError::Library)?;
    let iv = FixedLength::<16>::try_from(iv).map_err(|_| EncryptionError::Library)?;
    let mut plain = Zeroizing::new(envelope.sealed.to_vec());
    key.decrypt(&mut plain, DecryptionContext::Iv128(iv)).map_err(|_| EncryptionError::Library)?;
    Ok(plain)
}

fn gcm(cipher: Cipher, keys: &[u8], envelope: &Envelope<'_>) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (key, nonce) = split(cipher, keys)?;
    let algorithm = if cipher == Cipher::Aes128 { &AES_128_GCM } else { &AES_256_GCM };
    let key = UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| EncryptionError::Library)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| EncryptionError::Library)?;
    let mut plain = Zeroizing::new([envelope.sealed, envelope.tag].concat());
    let opened = key.open_in_place(nonce, Aad::empty(), &mut plain);
    let length = opened.map_err(|_| EncryptionError::WrongPassword)?.len();
    plain.truncate(length);
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn content(name: &str) -> Zeroizing<Vec<u8>> {
        let bytes = std::fs::read(format!("{}/fixtures/forms/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        pem::read(&bytes).unwrap().remove(0).contents
    }

    #[test]
    fn every_cipher_gives_the_same_key() {
        let plain = open(&content("ssh.p256"), None).unwrap();
        for name in ["aes128-cbc", "aes256-cbc", "3des-cbc", "aes192-ctr", "aes256-gcm"] {
            let sealed = content(&format!("ssh.{name}"));
            assert_eq!(open(&sealed, Some("secret")), Ok(plain.clone()), "{name}");
            for wrong in [Some("Secret"), Some(""), None] {
                assert_eq!(open(&sealed, wrong), Err(EncryptionError::WrongPassword), "{name}");
            }
        }
        let other = open(&content("ssh.chacha20-poly1305"), Some("secret"));
        assert_eq!(other, Err(EncryptionError::OtherSshCipher));
        // ssh-keygen's default.
        assert!(open(&content("ssh.locked"), Some("secret")).is_ok());
    }

    #[test]
    fn too_much_work_is_refused() {
        let mut sealed = content("ssh.locked").to_vec();
        // The rounds stand behind the salt of 16 octets.
        let at = sealed.windows(4).position(|four| four == 16u32.to_be_bytes()).unwrap() + 20;
        assert_eq!(sealed[at..at + 4], 4u32.to_be_bytes());
        sealed[at..at + 4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(open(&sealed, Some("secret")), Err(EncryptionError::TooMuchWork { .. })));
        sealed[at..at + 4].copy_from_slice(&[0; 4]);
        assert!(matches!(open(&sealed, Some("secret")), Err(EncryptionError::Malformed(_))));
    }
}
