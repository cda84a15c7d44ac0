//! Whatever bytes: certificates and CRLs that are whole elements, or a refusal; what is written again is read to the same.
#![no_main]

use kpki::encoding::{pkcs7, tlv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(found) = pkcs7::read(bytes) {
        assert!(found.certificates.iter().chain(&found.crls).all(|one| tlv::single(one).is_ok()));
        let again = pkcs7::read(&pkcs7::write(&found.certificates, &found.crls)).expect("what was written is read");
        assert_eq!((again.certificates, again.crls), (found.certificates, found.crls));
    }
});
