//! Whatever bytes: a signing request or none, never a panic.
#![no_main]

use kpki::x509::{Request, sniff};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = sniff(bytes);
    let _ = Request::read_file(bytes);
    if let Ok(request) = Request::parse(bytes) {
        let _ = format!("{request:?}");
    }
});
