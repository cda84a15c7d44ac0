//! A private key behind a passphrase, as a file holds it.

use zeroize::Zeroizing;

use super::fault::Why;
use super::material;
use crate::ca::PrivateKey;
use crate::encoding::key_container::Container;
use crate::encoding::pem::{self, Block};
use crate::encoding::raw_key::RawKey;
use crate::encrypted::pkcs8;
use crate::random::random;

/// Encrypted PKCS#8 in PEM. It is opened once more before anybody gets it.
pub fn seal(key: &PrivateKey, passphrase: &str) -> Result<Zeroizing<Vec<u8>>, Why> {
    if passphrase.is_empty() {
        return Err(Why::EmptyPassphrase);
    }
    let blocks = pem::read(key.to_pem().as_bytes()).map_err(|_| Why::Unsealed)?;
    let raw = blocks.first().and_then(|block: &Block| RawKey::detect(&block.contents)).ok_or(Why::Unsealed)?;
    let pkcs8 = raw.recast(Container::Pkcs8).map_err(|_| Why::Unsealed)?;
    let salt = random().map_err(|_| Why::Unsealed)?;
    let sealed = pkcs8::seal(pkcs8.der(), passphrase, &salt, &random().map_err(|_| Why::Unsealed)?);
    let sealed = Zeroizing::new(sealed.map_err(Why::Encrypted)?);
    let text = pem::write("ENCRYPTED PRIVATE KEY", &sealed);
    match material::open(text.as_bytes(), Some(passphrase)) {
        Ok(again) if again.spki_der() == key.spki_der() => Ok(Zeroizing::new(text.as_bytes().to_vec())),
        _ => Err(Why::Unsealed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blueprint::Algorithm;

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_and_no_other() {
        for algorithm in Algorithm::ALL {
            let key = PrivateKey::generate(algorithm).unwrap();
            let sealed = seal(&key, "long enough").unwrap();
            assert!(sealed.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{algorithm}");
            assert!(material::is_encrypted(&sealed), "{algorithm}");
            let opened = material::open(&sealed, Some("long enough")).unwrap();
            assert_eq!(opened.to_pem(), key.to_pem(), "{algorithm}");
            assert_eq!(material::open(&sealed, Some("another")).unwrap_err(), Why::WrongPassphrase, "{algorithm}");
            assert_eq!(material::open(&sealed, None).unwrap_err(), Why::NoPassphrase, "{algorithm}");
        }
        let key = PrivateKey::generate(Algorithm::EcdsaP256).unwrap();
        assert_eq!(seal(&key, "").unwrap_err(), Why::EmptyPassphrase);
    }
}
