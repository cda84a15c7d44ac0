//! Kubeconfigs whose credential is in files of their own.

use std::fs;

use super::super::facts::decode;
use super::super::harness::{Place, single};

/// A tree whose admin.conf names these files instead of embedding them; the files are put where the names lead.
fn made(certificate: &str, key: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let text = place.read("k8s/admin.conf");
    let data = |field: &str| text.lines().find_map(|line| line.trim().strip_prefix(field)).unwrap().trim().to_owned();
    let (cert, private) = (data("client-certificate-data:"), data("client-key-data:"));
    let named = text
        .replace(&format!("client-certificate-data: {cert}"), &format!("client-certificate: {certificate}"))
        .replace(&format!("client-key-data: {private}"), &format!("client-key: {key}"));
    place.write("k8s/admin.conf", named);
    let at = |path: &str| match path.strip_prefix("/etc/kubernetes/") {
        Some(below) => place.path("k8s").join(below),
        None => place.path("k8s").join(path),
    };
    let both = if certificate == key { decode(&private) } else { Vec::new() };
    fs::write(at(key), decode(&private)).unwrap();
    fs::write(at(certificate), [decode(&cert), both].concat()).unwrap();
    place
}

const LATER: &str = "2027-12-25T00:00:00Z";

#[test]
fn files_of_the_tree_are_renewed_where_they_are() {
    for (certificate, key) in
        [("pki/admin.crt", "pki/admin.key"), ("/etc/kubernetes/pki/admin.crt", "/etc/kubernetes/pki/admin.key")]
    {
        let place = made(certificate, key);
        let conf = place.read("k8s/admin.conf");
        let old = (place.read("k8s/pki/admin.crt"), place.read("k8s/pki/admin.key"));
        let check = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "csv"]).status(4);
        let path = place.path("k8s/pki/admin.crt");
        let row = check.stdout.lines().find(|line| line.contains(",admin.conf,")).unwrap();
        assert!(row.contains(",expired,") && row.contains("k8s/pki/admin.crt"), "{row} {path:?}");
        let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "-o", "json"]).ok();
        let entries = run.json()["trees"][0]["entries"].clone();
        let admin = entries.as_array().unwrap().iter().find(|entry| entry["name"] == "admin.conf").unwrap().clone();
        assert_eq!(admin["paths"], serde_json::json!(["pki/admin.crt", "pki/admin.key"]));
        assert_eq!(place.read("k8s/admin.conf"), conf, "the kubeconfig names the same files");
        let new = (place.read("k8s/pki/admin.crt"), place.read("k8s/pki/admin.key"));
        assert!(old.0 != new.0 && old.1 != new.1);
        place.kpki(&["check-expiration", "k8s", "--at", LATER]).ok();
        place.kpki(&["restore", "--dir", "k8s", "--at", LATER]).ok();
        assert_eq!(old, (place.read("k8s/pki/admin.crt"), place.read("k8s/pki/admin.key")));
    }
}

/// What is renewed elsewhere and has ended there, or is due, was not renewed: the exit status says so.
#[test]
fn files_elsewhere_are_looked_at() {
    let place = made("../outside.pem", "../outside.pem");
    let renew = |at: &str| place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", at]);
    let first = renew("2026-11-21T00:00:00Z").ok();
    assert!(first.stdout.contains("its credentials are in files of their own (../outside.pem)"), "{}", first.stdout);
    let due = renew("2027-10-01T00:00:00Z").status(5);
    assert!(due.stdout.contains("its credential is in ../outside.pem, which is due, "), "{}", due.stdout);
    let ended = renew(LATER).status(5);
    assert!(ended.stdout.contains("its credential is in ../outside.pem, which expired at 2027-"), "{}", ended.stdout);
    fs::remove_file(place.path("outside.pem")).unwrap();
    let gone = renew(LATER).status(5);
    assert!(gone.stdout.contains("its credential is in ../outside.pem, which is missing"), "{}", gone.stdout);
    // A path that no file can have is this kubeconfig's trouble, and not that of the whole run.
    let long = format!("../{}", "x".repeat(300));
    place.write("k8s/admin.conf", place.read("k8s/admin.conf").replace("../outside.pem", &long));
    let odd = renew(LATER).status(5);
    assert!(odd.stdout.contains("which cannot be read") && !odd.stderr.contains("error"), "{odd:?}");
}

/// A name that is not there is not done, whatever else the directory holds.
#[test]
fn a_name_that_is_not_there_is_not_done() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    fs::rename(place.path("k8s/pki"), place.path("k8s/ssl")).unwrap();
    fs::remove_dir_all(place.path("k8s/.kpki")).unwrap();
    let run = place.kpki(&["renew", "apiserver", "--dir", "k8s"]).status(5);
    assert!(run.stdout.contains("its authority ca is missing"), "{}", run.stdout);
}
