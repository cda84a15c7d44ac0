//! OpenSSL's old encryption of PEM blocks (`Proc-Type: 4,ENCRYPTED`): one MD5 of the password and the first eight octets of the
//! initialisation vector make the key. Read only; what `openssl genrsa -aes256` wrote until OpenSSL 3.

use zeroize::Zeroizing;

use super::EncryptionError;
use super::cipher::Cipher;
use super::derive;
use crate::encoding::dek_info::DekInfo;
use crate::encoding::tlv;

/// OpenSSL's names.
const CIPHERS: &[(&str, Cipher)] = &[
    ("AES-128-CBC", Cipher::Aes128),
    ("AES-192-CBC", Cipher::Aes192),
    ("AES-256-CBC", Cipher::Aes256),
    ("DES-EDE3-CBC", Cipher::TripleDes),
    ("DES-EDE-CBC", Cipher::TwoKeyTripleDes),
    ("DES-CBC", Cipher::Des),
    ("RC2-CBC", Cipher::Rc2With128Bits),
];

/// A cipher of 56 bits, which anybody can break today.
pub fn is_weak(info: &DekInfo) -> bool {
    info.cipher == Some("DES-CBC")
}

/// The DER in the block.
pub fn open(
    info: Option<&DekInfo>,
    content: &[u8],
    password: Option<&str>,
) -> Result<Zeroizing<Vec<u8>>, EncryptionError> {
    let info = info.ok_or(EncryptionError::Malformed("DEK-Info header"))?;
    let password = password.ok_or(EncryptionError::WrongPassword)?;
    let cipher = CIPHERS.iter().find(|(name, _)| Some(*name) == info.cipher).map(|(_, cipher)| *cipher);
    let cipher = cipher.ok_or(EncryptionError::OtherPemCipher(info.cipher.unwrap_or("an unknown one")))?;
    let salt = info.iv.get(..8).ok_or(EncryptionError::Malformed("DEK-Info header"))?;
    let key = derive::openssl_md5(password.as_bytes(), salt, cipher.key_length());
    let der = cipher.decrypt(&key, &info.iv, content)?;
    // A wrong key leaves valid padding once in 256 times, but no DER.
    if tlv::single(&der).is_ok_and(|one| one.tag == tlv::SEQUENCE) {
        Ok(der)
    } else {
        Err(EncryptionError::WrongPassword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::pem;

    #[allow(clippy::disallowed_methods)] // fixtures
    fn block(name: &str) -> pem::Block {
        let bytes = std::fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        pem::read(&bytes).unwrap().remove(0)
    }

    #[test]
    fn what_openssl_wrote_for_twenty_years_is_read() {
        let plain = block("convert/rsa.key").contents;
        for cipher in ["des", "des3", "aes128", "aes192", "aes256"] {
            let block = block(&format!("forms/rsa.old-{cipher}.key"));
            let open = |password| open(block.dek.as_ref(), &block.contents, password);
            assert_eq!(open(Some("secret")), Ok(plain.clone()), "{cipher}");
            assert_eq!(is_weak(block.dek.as_ref().unwrap()), cipher == "des");
            for wrong in [Some("Secret"), Some(""), None] {
                assert_eq!(open(wrong), Err(EncryptionError::WrongPassword), "{cipher}");
            }
        }
        let other = block("forms/rsa.old-camellia128.key");
        let why = open(other.dek.as_ref(), &other.contents, Some("secret"));
        assert_eq!(why, Err(EncryptionError::OtherPemCipher("CAMELLIA-128-CBC")));
        assert_eq!(open(None, &other.contents, Some("secret")), Err(EncryptionError::Malformed("DEK-Info header")));
    }
}
