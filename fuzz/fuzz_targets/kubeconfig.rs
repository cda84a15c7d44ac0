//! Whatever lies where a kubeconfig should: an answer, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = kpki::kubeconfig::read(bytes);
});
