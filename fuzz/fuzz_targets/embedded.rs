//! Whatever bytes: what is wrapped in them, in bounded time and memory, and judged, never a panic.
#![no_main]

use kpki::encoding::embedded::groups;
use kpki::plan::rotate::scan::{Sought, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let sought = Sought::default();
    for group in groups(bytes) {
        judge(&sought, &group);
    }
});
