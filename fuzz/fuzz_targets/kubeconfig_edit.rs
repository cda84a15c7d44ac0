//! Any bytes as a kubeconfig to edit: refused, or edited so that it reads back with the new credentials, and so that the same
//! edit again changes nothing.
#![no_main]

use kpki::kubeconfig::{Credentials, NewCredentials, read, replace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let new =
        NewCredentials { certificate: "certificate", key: Some("key"), authority: Some("authority"), server: None };
    let Ok(edited) = replace(bytes, &new) else { return };
    let found = read(&edited).expect("an edited kubeconfig is one");
    let Credentials::Embedded { certificate, key } = found.credentials else { panic!("it names files") };
    assert_eq!((certificate.as_slice(), key.as_slice()), (b"certificate".as_slice(), b"key".as_slice()));
    assert_eq!(*replace(&edited, &new).expect("it can be edited again"), *edited);
});
