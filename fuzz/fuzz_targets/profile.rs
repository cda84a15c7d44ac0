//! Any bytes as a profile: refused with messages of one line each, or read, rendered and read back as the same profile.
#![no_main]

use kpki::profile::{Origin, Overrides, Profile, Source, Stated, load, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let machine = Overrides {
        hostname: Some("host1".to_owned()),
        advertise_address: Some([10, 0, 0, 9].into()),
        ..Overrides::default()
    };
    match load(Source { name: "fuzz.yaml", bytes }, &machine) {
        Err(problems) => {
            assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                assert!(!problem.to_string().chars().any(char::is_control));
            }
        }
        Ok(loaded) if loaded.profile.origin == Origin::Kpki => {
            let text = render(&loaded.profile);
            let again = load(Source { name: "rendered", bytes: text.as_bytes() }, &Overrides::default());
            // What was left to a default is stated now.
            let stated = Stated { algorithm: true, validity: true, ca_validity: true, version: true };
            assert_eq!(again.expect("a rendered profile is valid").profile, Profile { stated, ..loaded.profile });
        }
        Ok(_) => {}
    }
});
