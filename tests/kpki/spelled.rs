//! A certificate whose issuer is written in other capitals and spaces than the authority writes its name: the same name for whoever asks
//! what is revoked (RFC 5280 section 7.1), and no name of its issuer for Go, which compares bytes.

use kpki::blueprint::{Blueprint, Name, Role};
use kpki::ca::{Issuer, PrivateKey, issue, self_sign};
use kpki::x509::parse_pem_bundle;

use super::harness::{NOW, Place, Run, single};

/// A tree whose API server's certificate names its issuer `KUBERNETES `; it lies in spelled.crt, too.
fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let read = |name: &str| parse_pem_bundle(place.read(name).as_bytes()).unwrap().remove(0);
    let key = |name: &str| PrivateKey::from_pem(place.read(name).as_bytes()).unwrap();
    let (authority, old) = (read("t/pki/ca.crt"), read("t/pki/apiserver.crt"));
    let blueprint = |of: &kpki::x509::Certificate, subject| Blueprint {
        subject,
        not_before: of.not_before,
        not_after: of.not_after,
        role: of.role().unwrap(),
        key_usage: of.key_usage.unwrap(),
        extended_key_usages: of.extended_key_usages.clone(),
        sans: of.sans.clone(),
        permitted: vec![],
    };
    let loud =
        Blueprint { role: Role::Authority { path_len: None }, ..blueprint(&authority, Name::of("KUBERNETES ", &[])) };
    let loud = self_sign(&loud, &key("t/pki/ca.key")).unwrap().certificate;
    let loud = Issuer::new(vec![loud], key("t/pki/ca.key")).unwrap();
    let leaf = issue(&blueprint(&old, old.subject.clone()), &key("t/pki/apiserver.key").spki_der(), &loud).unwrap();
    assert_ne!(leaf.certificate.issuer_der, authority.subject_der);
    place.write("t/pki/apiserver.crt", leaf.certificate.to_pem());
    place.write("spelled.crt", leaf.certificate.to_pem());
    place
}

fn on(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[words, &["-d", "t", "--at", NOW]].concat())
}

#[test]
fn it_is_known_by_the_authority_that_signed_it() {
    let place = made();
    // By its file; then the entry is known to be in use.
    let run = on(&place, &["revoke", "--cert", "spelled.crt", "-o", "json"]).ok().json();
    assert_eq!(run["entries"][0]["caName"], "ca", "{run}");
    assert_eq!(run["inUse"], serde_json::json!(["apiserver"]), "{run}");
    on(&place, &["crl", "check", "apiserver"]).status(4);
    on(&place, &["crl", "check", "spelled.crt", "--ca", "t/pki/ca.crt", "--crl", "t/pki/ca.crl"]).status(4);
}

/// What check-expiration says of the API server's certificate.
fn state(place: &Place) -> String {
    let run = place.kpki(&["check-expiration", "t", "--at", NOW, "-o", "json"]).status(4).json();
    let all = run["certificates"].as_array().unwrap_or_else(|| panic!("{run}"));
    let row = all.iter().find(|one| one["name"] == "apiserver").unwrap_or_else(|| panic!("{run}"));
    row["state"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()
}

#[test]
fn its_serial_number_is_known() {
    let place = made();
    let serial = parse_pem_bundle(place.read("spelled.crt").as_bytes()).unwrap().remove(0).serial_hex();
    // Without --unknown-serial.
    let run = on(&place, &["revoke", "--serial", &serial, "--authority", "ca", "-o", "json"]);
    assert!(!run.stderr.contains("--unknown-serial"), "{run:?}");
    on(&place, &["crl", "check", "apiserver"]).status(4);
}

/// Go finds no issuer of this name, so that the API server's clients refuse it.
#[test]
fn it_is_of_the_wrong_issuer_for_the_components() {
    let place = made();
    assert_eq!(state(&place), "wrong-issuer");
    let run = on(&place, &["renew", "all", "--due"]).ok();
    assert!(run.stdout.contains("apiserver"), "{}", run.stdout);
    place.kpki(&["check-expiration", "t", "--at", NOW]).ok();
}
