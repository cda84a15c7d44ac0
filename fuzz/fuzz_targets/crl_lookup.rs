//! Whatever bytes: what a list names it names in any pieces, its entries come back as they were written, and a list nobody
//! signed decides nothing.
#![no_main]

use kpki::encoding::crl;
use kpki::x509::crl_entry::entries;
use kpki::x509::revocation::{CrlIssuer, Status, Strictness, status, vet};
use kpki::x509::verify::Algorithms;
use kpki::x509::{Certificate, CrlLookup, Wanted, parse_pem_bundle};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static CA: LazyLock<Certificate> = LazyLock::new(|| {
    let text = include_bytes!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/pki/ca.crt");
    parse_pem_bundle(text).unwrap().swap_remove(0)
});

fuzz_target!(|bytes: &[u8]| {
    let wanted = Wanted::new([&CA.serial[..], &[1], &[0x80]]);
    let Ok(listed) = CrlLookup::read(bytes, &wanted) else { return };
    let mut count = 0;
    for entry in entries(listed.crl.entries_in(bytes)) {
        let (_, entry) = entry.unwrap();
        count += 1;
        if let Ok(revoked) = entry.revoked() {
            if let Ok(der) = crl::entry(&revoked) {
                let again = entries(&der).next().unwrap().unwrap().1.revoked().unwrap();
                assert!(again == revoked || !revoked.other.is_empty());
            }
            assert!(!wanted.contains(&revoked.serial) || listed.named(&revoked.serial).is_some());
        }
    }
    assert_eq!(count, listed.crl.entries);
    let authority =
        CrlIssuer { issuer: &CA, delegates: &[], strictness: Strictness::Lenient, algorithms: Algorithms::Kubernetes };
    let vetted = vet(&listed, bytes, authority, listed.crl.this_update);
    assert_eq!(status(&CA, &CA, &[vetted]).status, Status::Unknown);
});
