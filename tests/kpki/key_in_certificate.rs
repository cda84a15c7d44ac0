//! A private key in a file that is called a certificate goes nowhere.

use std::fs;

use super::harness::{NOW, Place, tree};

const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\ncontrolPlaneEndpoint: lb.example.com\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: w1, roles: [worker], addresses: [10.0.0.9]}\n";

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", PROFILE);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

/// The key behind the certificate.
fn append(place: &Place, certificate: &str, key: &str) {
    let joined = place.read(certificate) + &place.read(key);
    fs::write(place.path(certificate), joined).unwrap();
}

#[test]
fn nothing_is_made_of_an_authority_with_its_key_and_import_takes_it_out() {
    let place = made();
    for certificate in ["c/pki/ca.crt", "c/nodes/cp1/pki/ca.crt", "c/nodes/w1/pki/ca.crt"] {
        append(&place, certificate, "c/pki/ca.key");
    }
    for words in [
        &["init", "--profile", "p.yaml", "--dir", "c"][..],
        &["export", "w1", "--without-ca-keys", "--dir", "c", "--out", "w1.tar.gz"],
        &["export", "cp1", "--dir", "c", "--out", "cp1.tar.gz"],
        &["revoke", "cp1/apiserver", "--dir", "c"],
        &["kubeconfig", "user", "jane", "--dir", "c", "--out", "jane.conf"],
    ] {
        let run = place.kpki(&[words, &["--at", NOW]].concat()).fails(1);
        assert!(run.stderr.contains("private key"), "{words:?}: {}", run.stderr);
    }
    // What has another authority is renewed all the same.
    let run = place.kpki(&["renew", "all", "--dir", "c", "--at", NOW]).status(5);
    assert!(run.stdout.contains("a private key is in ca.crt"), "{}", run.stdout);
    let run = place.kpki(&["check-expiration", "c", "--at", NOW]).status(4);
    assert!(run.stderr.contains("private key") || run.stdout.contains("private key"), "{}{}", run.stdout, run.stderr);
    place.kpki(&["import", "c/pki/ca.crt", "--as", "ca", "--dir", "c", "--at", NOW]).ok();
    for (file, (mode, bytes)) in tree(&place.path("c")) {
        let private = String::from_utf8_lossy(&bytes).contains("PRIVATE KEY");
        // What was replaced is kept as it was, in a directory of mode 0700.
        assert!(!private || mode == 0o600 || file.starts_with(".kpki/generations/"), "{file} {mode:o}");
    }
    place.kpki(&["export", "w1", "--without-ca-keys", "--dir", "c", "--out", "w1.tar.gz", "--at", NOW]).ok();
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
}

#[test]
fn a_leaf_with_its_key_is_not_exported_and_renewing_takes_it_out() {
    let place = made();
    append(&place, "c/nodes/cp1/pki/apiserver.crt", "c/nodes/cp1/pki/apiserver.key");
    let run = place.kpki(&["export", "cp1", "--dir", "c", "--out", "x", "--at", NOW]).fails(1);
    assert!(run.stderr.contains("/etc/kubernetes/pki/apiserver.crt"), "{}", run.stderr);
    let run = place.kpki(&["check-expiration", "c", "--at", NOW]).status(4);
    assert!(run.stdout.contains("private key"), "{}", run.stdout);
    place.kpki(&["renew", "cp1/apiserver", "--dir", "c", "--at", NOW]).ok();
    assert!(!place.read("c/nodes/cp1/pki/apiserver.crt").contains("PRIVATE"));
    place.kpki(&["export", "cp1", "--dir", "c", "--out", "x", "--at", NOW]).ok();
}

/// As kpki 0.1.0 made it of such a file.
#[test]
fn a_kubeconfig_that_embeds_the_authoritys_key_is_reported_and_made_again() {
    let place = made();
    let authority = place.read("c/pki/ca.crt");
    let embedded = |text: &str| kpki::encoding::base64::encode(text.as_bytes()).to_string();
    let with_key = authority.clone() + &place.read("c/pki/ca.key");
    let kubelet = place.read("c/nodes/w1/kubelet.conf");
    let changed = kubelet.replace(&embedded(&authority), &embedded(&with_key));
    assert_ne!(changed, kubelet);
    fs::write(place.path("c/nodes/w1/kubelet.conf"), changed).unwrap();
    place.init(&["--profile", "p.yaml", "--dir", "c"]).fails(1);
    let run = place.kpki(&["check-expiration", "c", "--at", NOW]).status(4);
    assert!(run.stdout.contains("private key"), "{}", run.stdout);
    place.kpki(&["export", "w1", "--without-ca-keys", "--dir", "c", "--out", "x", "--at", NOW]).fails(1);
    place.kpki(&["renew", "all", "--due", "--dir", "c", "--at", NOW]).status(0);
    assert!(place.read("c/nodes/w1/kubelet.conf").contains(&embedded(&authority)));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
}

/// A file that is called a public key is one, whatever its mode.
#[test]
fn a_key_behind_the_service_accounts_public_key_goes_nowhere() {
    let place = made();
    append(&place, "c/pki/sa.pub", "c/pki/ca.key");
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "c", "--at", NOW]).fails(1);
    place.kpki(&["init", "--profile", "p.yaml", "--dir", "c", "--at", NOW, "--force"]).ok();
    for file in ["c/pki/sa.pub", "c/nodes/cp1/pki/sa.pub"] {
        assert!(!place.read(file).contains("PRIVATE KEY"), "{file} is written anew");
    }
    append(&place, "c/nodes/cp1/pki/sa.pub", "c/pki/ca.key");
    let run = place.kpki(&["export", "cp1", "--without-ca-keys", "--dir", "c", "--out", "s.tar", "--at", NOW]);
    assert!(run.status != 0 && !place.path("s.tar").exists(), "{}{}", run.stdout, run.stderr);
}
