//! Whatever bytes: Java's keystores and PKCS#12 opened or refused, with a password and without, in bounded time, never a panic.
#![no_main]

use kpki::encrypted::Store;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for store in [Store::Jks, Store::Jceks, Store::Pkcs12] {
        let _ = (store.open(bytes, None), store.open(bytes, Some("secret")));
    }
});
