//! Trees that are right: kubeadm's, and those of the profiles that kpki comes with.

use std::fs;

use super::bases::kubeadm;
use crate::harness::{NOW, Place, names, repository, text};

/// What is kubeadm's own: fixture, rule and files.
const DIFFERENCES: &[(&str, &str, &[&str])] = &[
    // Before 1.21 its authorities had the number 0.
    ("v1.20-rsa2048", "id/serial", &["pki/ca.crt", "pki/etcd/ca.crt", "pki/front-proxy-ca.crt"]),
];

/// Fixtures that are meant to be wrong: every leaf is expired, and no certificate is there yet.
const WRONG: &[(&str, &str)] = &[("v1.36-expired", "date/expired"), ("v1.36-generate-csr", "file/missing")];

#[test]
fn every_tree_of_kubeadm_is_clean_but_for_what_is_its_own() {
    let mut count = 0;
    for entry in fs::read_dir(repository("fixtures/kubeadm")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let base = repository("fixtures/kubeadm").join(&name);
        if !base.join("etc-kubernetes").is_dir() {
            continue;
        }
        count += 1;
        let place = Place::new();
        kubeadm(&name, &place.path("t"));
        let at = fs::read_to_string(base.join("made-at")).unwrap_or(NOW.to_owned());
        let run = place.kpki(&["verify", "t", "-o", "json", "--at", at.trim()]);
        assert!(!run.wrote, "{name}");
        let document = run.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let findings = document["clusters"][0]["findings"].as_array().unwrap();
        let found: Vec<(String, String)> =
            findings.iter().map(|one| (text(&one["rule"]), text(&one["path"]))).collect();
        if let Some((_, rule)) = WRONG.iter().find(|(fixture, _)| *fixture == name) {
            assert!(found.iter().any(|(found, _)| found == rule), "{name}: {found:?}");
            assert_eq!(run.status, 4, "{name}");
            continue;
        }
        let listed = DIFFERENCES.iter().filter(|(fixture, ..)| *fixture == name);
        let wanted: Vec<(String, String)> = listed
            .flat_map(|(_, rule, files)| files.iter().map(|file| ((*rule).to_owned(), format!("t/{file}"))))
            .collect();
        assert_eq!(found, wanted, "{name}");
        assert_eq!(document["clusters"][0]["notLookedAt"].as_array().unwrap().len(), 0, "{name}");
        assert_eq!(run.status, if wanted.is_empty() { 0 } else { 3 }, "{name}");
    }
    assert!(count >= 10, "{count}");
}

#[test]
fn every_tree_of_the_profiles_is_clean() {
    let mut count = 0;
    for entry in fs::read_dir(repository("profiles")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".yaml") {
            continue;
        }
        count += 1;
        let place = Place::new();
        let profile = text(&format!("profiles/{name}"));
        place.init(&["--profile", &profile, "--dir", "t"]).status(0);
        for words in [&[][..], &["--profile", &profile]] {
            let run = place.kpki(&[&["verify", "--dir", "t", "--at", NOW], words].concat());
            assert_eq!((run.status, run.wrote), (0, false), "{name}: {}", run.stdout);
            assert!(run.stdout.starts_with("ok: nothing found in "), "{name}: {}", run.stdout);
        }
        assert!(!names(&place.path("t")).is_empty(), "{name}");
    }
    assert!(count >= 7, "{count}");
}
