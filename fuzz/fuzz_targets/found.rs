//! Whatever bytes: a name for what they are, or none, never a panic.
#![no_main]

use kpki::encoding::found::found;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(found) = found(bytes) {
        assert!(!found.to_string().starts_with("something else"));
    }
});
