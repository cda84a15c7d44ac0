//! Whatever bytes, as an encrypted backup and as what is in one: opened or refused, in bounded time and memory, never a panic.
#![no_main]

use kpki::encrypted::sealed;
use kpki::workspace::backup::{Contents, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = sealed::open(bytes.to_vec().into(), "secret");
    if let Ok(contents) = Contents::read(bytes) {
        let _ = judge(&contents, None);
    }
});
