//! The block ciphers in CBC mode with PKCS#7 padding, all that RFC 8018 appendix B.2 and RFC 7292 appendix C put to use.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey,
    PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _, KeyInit as _};
use zeroize::Zeroizing;

use super::EncryptionError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    /// Three keys.
    TripleDes,
    /// Two keys: the third is the first.
    TwoKeyTripleDes,
    /// Read only.
    Des,
    /// Read only.
    Rc2With40Bits,
    /// Read only.
    Rc2With128Bits,
}

impl Cipher {
    /// In bytes.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128 | Self::TwoKeyTripleDes | Self::Rc2With128Bits => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Des => 8,
            Self::Rc2With40Bits => 5,
        }
    }

    /// Of a block, and so of the initialisation vector, in bytes.
    pub const fn block_length(self) -> usize {
        match self {
            Self::Aes128 | Self::Aes192 | Self::Aes256 => 16,
            _ => 8,
        }
    }

    pub(super) const fn aes(self) -> Option<&'static Algorithm> {
        match self {
            Self::Aes128 => Some(&AES_128),
            Self::Aes192 => Some(&AES_192),
            Self::Aes256 => Some(&AES_256),
            _ => None,
        }
    }

    /// Padding that is none means a wrong key.
    pub fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
        let wrong = EncryptionError::WrongPassword;
        if key.len() != self.key_length() || iv.len() != self.block_length() {
            return Err(EncryptionError::Malformed("initialisation vector"));
        }
        if data.is_empty() || !data.len().is_multiple_of(self.block_length()) {
            return Err(EncryptionError::Malformed("ciphertext (whole blocks)"));
        }
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self.aes() {
            Some(algorithm) => {
                let key = UnboundCipherKey::new(algorithm, key).and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
                let iv = FixedLength::<16>::try_from(iv).map_err(|_| EncryptionError::Library)?;
                let key = key.map_err(|_| EncryptionError::Library)?;
                key.decrypt(&mut buffer, DecryptionContext::Iv128(iv)).map_err(|_| wrong)?.len()
            }
            None => self.decrypt_old(key, iv, &mut buffer).ok_or(wrong)?,
        };
        buffer.truncate(length);
        Ok(buffer)
    }

    fn decrypt_old(self, key: &[u8], iv: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let plain = match self.rc2(key) {
            Some(rc2) => cbc::Decryptor::inner_iv_slice_init(rc2, iv).ok()?.decrypt_padded::<Pkcs7>(buffer).ok()?.len(),
            None if self == Self::Des => {
                let des = des::Des::new_from_slice(key).ok()?;
                cbc::Decryptor::inner_iv_slice_init(des, iv).ok()?.decrypt_padded::<Pkcs7>(buffer).ok()?.len()
            }
            None => {
                let des = self.triple_des(key)?;
                cbc::Decryptor::inner_iv_slice_init(des, iv).ok()?.decrypt_padded::<Pkcs7>(buffer).ok()?.len()
            }
        };
        Some(plain)
    }

    fn rc2(self, key: &[u8]) -> Option<rc2::Rc2> {
        match self {
            Self::Rc2With40Bits => Some(rc2::Rc2::new_with_eff_key_len(key, 40)),
            Self::Rc2With128Bits => Some(rc2::Rc2::new_with_eff_key_len(key, 128)),
            _ => None,
        }
    }

    fn triple_des(self, key: &[u8]) -> Option<des::TdesEde3> {
        let mut three = Zeroizing::new(key.to_vec());
        if self == Self::TwoKeyTripleDes {
            three = Zeroizing::new([key, key.get(..8)?].concat());
        }
        des::TdesEde3::new_from_slice(&three).ok()
    }

    /// AES and 3DES.
    pub fn encrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Vec<u8>, EncryptionError> {
        let failed = EncryptionError::Library;
        if let Some(algorithm) = self.aes() {
            let key = UnboundCipherKey::new(algorithm, key).and_then(PaddedBlockEncryptingKey::cbc_pkcs7);
            let iv = FixedLength::<16>::try_from(iv).map_err(|_| EncryptionError::Library)?;
            // Room for the padding: growing would leave a copy of the plaintext behind.
            let mut buffer = Vec::with_capacity(data.len().saturating_add(16));
            buffer.extend_from_slice(data);
            let key = key.map_err(|_| EncryptionError::Library)?;
            key.less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(iv)).map_err(|_| failed)?;
            return Ok(buffer);
        }
        if self != Self::TripleDes {
            return Err(failed);
        }
        let des = self.triple_des(key).ok_or(EncryptionError::Library)?;
        let mut buffer = vec![0; data.len().saturating_add(8)];
        if let Some(start) = buffer.get_mut(..data.len()) {
            start.copy_from_slice(data);
        }
        let encryptor = cbc::Encryptor::inner_iv_slice_init(des, iv).map_err(|_| EncryptionError::Library)?;
        let length = encryptor.encrypt_padded::<Pkcs7>(&mut buffer, data.len()).map_err(|_| failed)?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Cipher; 8] = [
        Cipher::Aes128,
        Cipher::Aes192,
        Cipher::Aes256,
        Cipher::TripleDes,
        Cipher::TwoKeyTripleDes,
        Cipher::Des,
        Cipher::Rc2With40Bits,
        Cipher::Rc2With128Bits,
    ];

    #[test]
    fn what_is_encrypted_is_decrypted() {
        for cipher in [Cipher::Aes128, Cipher::Aes192, Cipher::Aes256, Cipher::TripleDes] {
            let (key, iv): (Vec<u8>, _) = ((0..32).take(cipher.key_length()).collect(), vec![7; cipher.block_length()]);
            for length in [0, 1, 7, 8, 15, 16, 17, 1000] {
                let plain = vec![b'x'; length];
                let sealed = cipher.encrypt(&key, &iv, &plain).unwrap();
                assert_eq!(sealed.len(), (length / cipher.block_length() + 1) * cipher.block_length());
                assert_eq!(cipher.decrypt(&key, &iv, &sealed).unwrap().as_slice(), plain, "{cipher:?} {length}");
            }
        }
    }

    #[test]
    fn whatever_is_no_ciphertext_is_refused() {
        for cipher in ALL {
            let (key, iv) = (vec![3; cipher.key_length()], vec![7; cipher.block_length()]);
            for data in [vec![], vec![0; 5], vec![0; 17]] {
                assert!(matches!(cipher.decrypt(&key, &iv, &data), Err(EncryptionError::Malformed(_))), "{cipher:?}");
            }
            assert!(cipher.decrypt(&key, &[0; 3], &[0; 16]).is_err());
            assert!(cipher.decrypt(&[0; 3], &iv, &[0; 16]).is_err());
            assert_eq!(cipher.decrypt(&key, &iv, &[0; 16]), Err(EncryptionError::WrongPassword), "{cipher:?}");
        }
    }
}
