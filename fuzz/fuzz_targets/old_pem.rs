//! Whatever text: PEM blocks with OpenSSL's old encryption opened or refused, never a panic.
#![no_main]

use kpki::encoding::pem;
use kpki::encrypted::old_pem;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for block in pem::read(bytes).unwrap_or_default() {
        let _ = old_pem::open(block.dek.as_ref(), &block.contents, Some("secret"));
    }
});
