//! Whatever bytes: a list or none, and the same one however they come in.
#![no_main]

use kpki::x509::Crl;
use kpki::x509::Walker;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let whole = Crl::parse(bytes);
    let mut walker = Walker::default();
    let pieces = bytes.chunks(7).try_for_each(|piece| walker.feed(piece)).and_then(|()| walker.finish());
    assert_eq!(whole.ok(), pieces.ok());
});
