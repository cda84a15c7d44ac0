//! Any bytes as a CertificateSigningRequest of Kubernetes: one request, or why there is none.
#![no_main]

use kpki::commands::sign::request_in;
use kpki::x509::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok((request, Some(asked))) = request_in(bytes.to_vec().into()) {
        let _ = (Request::read_file(&request), asked.usages.len());
    }
});
