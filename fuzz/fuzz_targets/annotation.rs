//! Any bytes as a static pod's manifest to mark: refused, or marked so that it reads back with the mark, and so that the same mark again
//! changes nothing.
#![no_main]

use kpki::manifest::{annotate, annotation};
use libfuzzer_sys::fuzz_target;

const KEY: &str = "kpki/generation";

fuzz_target!(|bytes: &[u8]| {
    let Ok(marked) = annotate(bytes, "etcd", KEY, "a") else { return };
    assert_eq!(annotation(&marked, KEY).as_deref(), Some("a"));
    assert_eq!(annotate(&marked, "etcd", KEY, "a").expect("it can be marked again"), marked);
});
