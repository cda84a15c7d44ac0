//! Whatever bytes: opened or refused, in bounded time, never a panic; BER that was read is DER.
#![no_main]

use kpki::encoding::{ber, tlv};
use kpki::encrypted::pkcs12;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(der) = ber::to_der(bytes) {
        assert!(tlv::single(&der).is_ok());
        assert_eq!(ber::to_der(&der), Ok(der.clone()));
    }
    let _ = pkcs12::open(bytes, Some("secret"));
});
