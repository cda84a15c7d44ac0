//! Any bytes to `kpki convert`: a file, a kubeconfig, a manifest with files in it. An answer, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = kpki::commands::convert::count(bytes);
});
