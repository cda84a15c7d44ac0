//! Any bytes as a manifest, read as kubectl reads it: bounded, its values found or refused, a certificate never lost between the two
//! readers. What is plain YAML to both is the same to both.
#![no_main]

use kpki::encoding::yaml;
use kpki::{inventory, manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let stream = yaml::read_as_kubectl(bytes);
    for object in manifest::objects(&stream.documents) {
        let _ = object.to_string();
        for value in manifest::values(&object).unwrap_or_default() {
            let _ = value.bytes();
        }
    }
    let plain = yaml::read(bytes);
    if plain.faults.is_empty() {
        assert_eq!(plain.documents, stream.documents);
    }
    let _ = inventory::objects(bytes);
});
