//! Whatever bytes: read or refused, never a panic; and a container that was read reads back from what is written.
#![no_main]

use kpki::ca::PrivateKey;
use kpki::encoding::key::{Container, KeyMaterial};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = PrivateKey::from_pem(bytes) {
        let again = PrivateKey::from_pem(key.to_pem().as_bytes()).expect("a key that was written");
        assert_eq!(again.spki_der(), key.spki_der());
    }
    for container in [Container::Pkcs1, Container::Sec1, Container::Pkcs8] {
        if let Ok(key) = KeyMaterial::from_der(container, bytes) {
            let again = KeyMaterial::from_der(key.container(), key.der()).expect("a container that was written");
            assert_eq!(again.der(), key.der());
        }
    }
});
