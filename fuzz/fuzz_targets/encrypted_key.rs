//! Whatever bytes: opened or refused, in bounded time and memory, never a panic; a key moves between containers and back.
#![no_main]

use kpki::encoding::key::Container;
use kpki::encoding::raw_key::RawKey;
use kpki::encrypted::pkcs8;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = pkcs8::open(bytes, Some("secret"));
    if let Some(key) = RawKey::detect(bytes) {
        let _ = key.public();
        for container in [Container::Pkcs1, Container::Sec1, Container::Pkcs8] {
            if let Ok(other) = key.recast(container) {
                assert_eq!(RawKey::detect(other.der()).map(|again| again.container()), Some(container));
            }
        }
    }
});
