//! Whatever bytes: an OpenSSH key that is a key in another container, or a refusal; public keys that are read as such.
#![no_main]

use kpki::encoding::raw_key::RawKey;
use kpki::encoding::{public_key, ssh};
use kpki::encrypted::openssh;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = openssh::open(bytes, None) {
        assert!(RawKey::detect(&key).is_some());
    }
    for key in ssh::public_keys(bytes).unwrap_or_default() {
        let _ = public_key::read(&key);
    }
});
