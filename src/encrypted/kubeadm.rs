//! What `kubeadm init --upload-certs` does to a file before it puts it into the Secret `kubeadm-certs`: AES-256-GCM under the
//! certificate key, the nonce in front.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::EncryptionError;

/// Of a certificate key, in bytes.
pub const KEY_LENGTH: usize = 32;
/// In bytes.
pub const NONCE_LENGTH: usize = 12;

fn key(key: &[u8; KEY_LENGTH]) -> Result<LessSafeKey, EncryptionError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| EncryptionError::Library)
}

/// The nonce is never used twice with one key.
pub fn seal(plain: &[u8], secret: &[u8; KEY_LENGTH], nonce: [u8; NONCE_LENGTH]) -> Result<Vec<u8>, EncryptionError> {
    // Room for the tag: growing would leave a copy of the plaintext behind.
    let mut sealed = Zeroizing::new(Vec::with_capacity(plain.len().saturating_add(AES_256_GCM.tag_len())));
    sealed.extend_from_slice(plain);
    let nonce_octets = nonce;
    key(secret)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut *sealed)
        .map_err(|_| EncryptionError::Library)?;
    Ok([nonce_octets.as_slice(), &sealed].concat())
}

pub fn open(sealed: &[u8], secret: &[u8; KEY_LENGTH]) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let (nonce, data) =
        sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(EncryptionError::Malformed("nonce before the ciphertext"))?;
    let mut buffer = Zeroizing::new(data.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let length =
        key(secret)?.open_in_place(nonce, Aad::empty(), &mut buffer).map_err(|_| EncryptionError::WrongPassword)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 14 of the GCM specification: a zero key, a zero nonce, one block of zeros.
    #[test]
    fn the_cipher_is_the_published_one() {
        let sealed = seal(&[0; 16], &[0; 32], [0; 12]).unwrap();
        let hex: String = sealed.iter().skip(12).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }

    #[test]
    fn only_the_key_and_the_whole_of_it_open_it() {
        let sealed = seal(b"-----BEGIN", &[1; 32], [9; 12]).unwrap();
        assert_eq!(open(&sealed, &[1; 32]).unwrap().as_slice(), b"-----BEGIN");
        assert_eq!(open(&sealed, &[2; 32]), Err(EncryptionError::WrongPassword));
        for length in 0..sealed.len() {
            assert!(open(&sealed[..length], &[1; 32]).is_err(), "{length}");
        }
    }
}
