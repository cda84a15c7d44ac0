//! Whatever bytes: read or refused, never a panic; and a name that was read is written back to the same bytes.
#![no_main]

use kpki::blueprint::San;
use kpki::encoding::name;
use kpki::x509::{Certificate, parse_pem_bundle, valid_for_name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_pem_bundle(bytes);
    if let Ok(certificate) = Certificate::parse(bytes) {
        for (read, der) in
            [(&certificate.subject, &certificate.subject_der), (&certificate.issuer, &certificate.issuer_der)]
        {
            assert_eq!(name::write(read).as_ref(), Ok(der));
        }
        let _ = certificate.signed_by(&certificate);
        let _ = valid_for_name(&certificate, &San::Dns("kubernetes".into()));
        let _ = format!("{certificate:?} {} {:?}", certificate.signature_name(), certificate.role());
    }
});
