//! Whatever a walk comes upon, and whatever a person inspects: an answer, never a panic; and kubeadm's shape is read without
//! a YAML parser as with one (a comment at the end sends the same text the long way).
#![no_main]

use kpki::workspace::passwords::NoPasswords;
use kpki::{commands::inspect, inventory, kubeconfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = inventory::objects(bytes);
    let _ = inspect::file("fuzz".to_owned(), Ok(bytes.to_vec().into()), &mut NoPasswords);
    if let Ok(short) = kubeconfig::survey(bytes)
        && bytes.ends_with(b"\n")
    {
        let commented = [bytes, b"# the end\n"].concat();
        assert_eq!(kubeconfig::survey(&commented).as_ref(), Ok(&short));
    }
});
