//! The rotation to an authority whose key is elsewhere: requests, what was signed beside them, one switch for all, and the way back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::harness::{Place, Run, single, tree};
use kpki::x509::{Certificate, parse_pem_bundle, path};
use time::macros::datetime;

const AT: [&str; 4] = ["2026-11-22T22:00:00Z", "2026-11-24T22:00:00Z", "2026-11-26T22:00:00Z", "2026-11-28T22:00:00Z"];
const PASS: [&str; 2] = ["--confirm-all", "--not-before-override"];

const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";

/// The owner's authorities.
const OWNERS: &str = "encryptionAlgorithm: ECDSA-P256
authorities:
  ca: {subject: {O: [owner]}}
  etcd-ca: {subject: {O: [owner]}}
  front-proxy-ca: {subject: {O: [owner]}}
";

type Files = BTreeMap<String, (u32, Vec<u8>)>;

/// A tree in `d`, and the owner of the new authority in `o`.
struct Two(Place);

impl Two {
    fn new(profile: &str) -> Self {
        let place = Place::new();
        place.write("p.yaml", profile);
        place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
        place.write("o.yaml", single(OWNERS));
        place.init(&["--profile", "o.yaml", "--dir", "o"]).ok();
        Self(place)
    }

    fn kpki(&self, verb: &[&str], at: &str, more: &[&str], status: i32) -> Run {
        let run = self.0.kpki(&[verb, &["--dir", "d", "--at", at], more].concat());
        assert_eq!(run.status, status, "{verb:?} {more:?}: {}\n{}", run.stdout, run.stderr);
        run
    }

    fn prepare(&self, authority: &str) {
        let new = format!("o/pki/{}", file(authority));
        let in_use: &[&str] = if authority == "ca" { &["--signer-file-in-use"] } else { &[] };
        let run = self
            .0
            .kpki(&[&["rotate", "prepare", authority, "--new-ca", &new, "--dir", "d", "--at", AT[0]], in_use].concat());
        assert_eq!(run.status, 0, "{run:?}");
    }

    fn switch(&self, at: &str, status: i32) -> Run {
        self.kpki(&["rotate", "switch"], at, &PASS, status)
    }

    /// The entries whose requests wait.
    fn requested(&self) -> Vec<String> {
        let mut all: Vec<String> = tree(&self.0.path("d/.kpki/requests"))
            .keys()
            .filter_map(|name| name.strip_suffix(".csr").map(str::to_owned))
            .collect();
        all.sort();
        all
    }

    /// The owner signs a request; the file of the certificate.
    fn sign(&self, request: &str, authority: &str, more: &[&str]) -> String {
        let csr = format!("d/.kpki/requests/{request}.csr");
        let out = format!("signed/{}.crt", request.replace('/', "-"));
        let (certificate, key) = (format!("o/pki/{}", file(authority)), format!("o/pki/{}", file(authority)));
        let key = key.replace(".crt", ".key");
        self.0.write(&out, "");
        fs::remove_file(self.0.path(&out)).unwrap();
        let entry = entry(request);
        let words = ["sign", &csr, "--as", &entry, "--profile", "p.yaml", "--dir", "d", "--at", AT[1], "--out", &out];
        let signer = ["--ca-cert", &certificate, "--ca-key", &key];
        self.0.kpki(&[&words[..], &signer, more].concat()).status(0);
        out
    }

    /// What is in use: everything but what kpki keeps for itself.
    fn used(&self) -> Files {
        let mut all = tree(&self.0.path("d"));
        all.retain(|name, _| !name.starts_with(".kpki"));
        all
    }

    fn phase(&self) -> Option<String> {
        let text = fs::read_to_string(self.0.path("d/.kpki/rotation.json")).ok()?;
        let record: serde_json::Value = serde_json::from_str(&text).unwrap();
        record["rotations"][0]["phase"].as_str().map(str::to_owned)
    }
}

fn file(authority: &str) -> &'static str {
    match authority {
        "ca" => "ca.crt",
        "etcd-ca" => "etcd/ca.crt",
        _ => "front-proxy-ca.crt",
    }
}

/// `nodes/cp1/pki/etcd/server` -> `cp1/etcd-server`.
fn entry(request: &str) -> String {
    let (node, rest) = match request.strip_prefix("nodes/").and_then(|rest| rest.split_once('/')) {
        Some((node, rest)) => (format!("{node}/"), rest),
        None => (String::new(), request),
    };
    let name = match rest.trim_start_matches("pki/") {
        "etcd/server" => "etcd-server",
        "etcd/peer" => "etcd-peer",
        "etcd/healthcheck-client" => "etcd-healthcheck-client",
        "kubelet/kubelet" => "kubelet-serving",
        other => other,
    };
    format!("{node}{name}")
}

fn certificates(path: &Path) -> Vec<Certificate> {
    parse_pem_bundle(&fs::read(path).unwrap()).unwrap()
}

/// Every leaf of the files in use that the owner's authority signed.
fn of_the_owner(two: &Two, authority: &str) -> Vec<String> {
    let owner = certificates(&two.0.path(&format!("o/pki/{}", file(authority))));
    let at = datetime!(2026-11-25 00:00 UTC);
    let mut found = Vec::new();
    for (name, (_, bytes)) in two.used() {
        let bundle = match name.rsplit('.').next() {
            Some("crt") => parse_pem_bundle(&bytes).unwrap(),
            Some("conf") => kpki::tree::leaf::embedded(&bytes).unwrap_or_default(),
            _ => continue,
        };
        if bundle.first().is_some_and(|leaf| !leaf.is_ca && path::judge(leaf, &[], &owner, at).is_ok()) {
            found.push(name.trim_end_matches(".crt").to_owned());
        }
    }
    found.sort();
    found
}

#[test]
fn what_the_owner_signs_waits_until_all_of_it_is_there() {
    for (profile, authority, number) in [
        (single("encryptionAlgorithm: ECDSA-P256\n"), "ca", 7),
        (CLUSTER.to_owned(), "ca", 9),
        (CLUSTER.to_owned(), "etcd-ca", 4),
        (CLUSTER.to_owned(), "front-proxy-ca", 1),
    ] {
        let two = Two::new(&profile);
        let place = &two.0;
        two.prepare(authority);
        let before = two.used();
        // The gate comes first.
        let run = two.kpki(&["rotate", "switch"], AT[0], &[], 1);
        assert!(!run.wrote && run.stderr.contains("nothing was written"), "{}", run.stderr);
        let run = two.kpki(&["rotate", "switch", "--dry-run"], AT[1], &PASS, 5);
        assert!(!run.wrote, "{}", run.stdout);

        let run = two.switch(AT[1], 5);
        assert!(
            run.stdout.contains(&format!("{authority} stays prepared, and nothing in use changes")),
            "{}",
            run.stdout
        );
        let requested = two.requested();
        assert!(requested.len() >= number, "{requested:?}");
        assert!(two.used() == before && two.phase().as_deref() == Some("prepared"));
        assert!(!two.switch(AT[1], 5).wrote);
        let status = two.kpki(&["rotate", "status"], AT[1], &[], 3);
        assert!(
            status.stdout.contains(&format!("0 of {} certificates are signed", requested.len())),
            "{}",
            status.stdout
        );
        let run = two.kpki(&["renew", "all", "--due"], AT[1], &[], 0);
        assert!(!run.wrote, "{}", run.stdout);

        // All but one.
        let (last, most) = requested.split_last().unwrap();
        let signed: Vec<String> = most.iter().map(|one| two.sign(one, authority, &[])).collect();
        if let Some(first) = signed.first() {
            let run = two.kpki(&["import", first, "--dry-run"], AT[1], &[], 5);
            assert!(!run.wrote, "{}", run.stdout);
            let words: Vec<&str> = ["import"].into_iter().chain(signed.iter().map(String::as_str)).collect();
            let run = two.kpki(&words, AT[1], &[], 5);
            assert!(run.stdout.contains("missing: 1 of "), "{}", run.stdout);
            assert!(run.stdout.contains(&entry(last)), "{}", run.stdout);
            assert!(two.used() == before);
            let status = two.kpki(&["rotate", "status"], AT[1], &[], 3);
            assert!(status.stdout.contains(&entry(last)), "{}", status.stdout);
            let run = two.switch(AT[1], 5);
            assert!(
                run.stdout.contains(&format!("{} of {} certificates", most.len(), requested.len())),
                "{}",
                run.stdout
            );
            assert!(two.used() == before && two.phase().as_deref() == Some("prepared"));
            // A renewal by the old one changes nothing of what waits.
            let run = two.kpki(&["renew", "all", "--due"], AT[1], &[], 0);
            assert!(!run.wrote, "{}", run.stdout);
        }
        let file_of_last = two.sign(last, authority, &[]);
        let run = two.kpki(&["import", &file_of_last], AT[1], &[], 5);
        assert!(run.stdout.contains(&format!("kpki rotate switch {authority} --dir d")), "{}", run.stdout);
        assert!(two.used() == before);
        two.kpki(&["import", &file_of_last], AT[1], &[], 5);

        let key = format!("d/pki/{}", file(authority).replace(".crt", ".key"));
        let own_key = place.read(&key);
        two.switch(AT[1], 0);
        assert_eq!(two.phase().as_deref(), Some("switched"));
        let bundle = format!("d/pki/{}", file(authority));
        let owners = certificates(&place.path(&format!("o/pki/{}", file(authority))));
        let trusted = certificates(&place.path(&bundle));
        assert!(trusted.len() == 2 && trusted[0] == owners[0]);
        assert!(!place.path(&key).exists(), "the old one's key signs no more");
        assert_eq!(place.read(&format!("d/.kpki/rotation/{authority}.previous.key")), own_key);
        assert_eq!(two.requested(), Vec::<String>::new());
        assert!(tree(&place.path("d/.kpki/requests")).values().all(|(_, bytes)| bytes.is_empty()));
        let mut expected: Vec<String> = requested.clone();
        expected.sort();
        assert_eq!(of_the_owner(&two, authority), expected);
        two.kpki(&["verify"], AT[1], &[], 0);
        assert!(two.switch(AT[1], 0).stdout.starts_with("nothing to do"));

        // The way back, and forth again: with all certificates in one command.
        two.kpki(&["rotate", "back"], AT[1], &[], 0);
        assert!(two.used() == before, "{authority}");
        two.switch(AT[2], 5);
        let signed: Vec<String> = two.requested().iter().map(|one| two.sign(one, authority, &[])).collect();
        let words: Vec<&str> = ["import"].into_iter().chain(signed.iter().map(String::as_str)).collect();
        two.kpki(&words, AT[2], &[], 5);
        two.switch(AT[2], 0);
        two.kpki(&["rotate", "retire"], AT[3], &PASS, 0);
        assert_eq!(certificates(&place.path(&bundle)), owners);
        two.kpki(&["verify"], AT[3], &[], 0);
        // From there: trusted again, then signing again.
        two.kpki(&["rotate", "back", authority], AT[3], &[], 0);
        two.kpki(&["rotate", "back", authority], AT[3], &PASS, 0);
        let keys = |files: &Files| files.keys().filter(|name| name.ends_with("ca.key")).cloned().collect::<Vec<_>>();
        assert!(place.read(&key) == own_key && keys(&two.used()) == keys(&before));
        two.kpki(&["verify"], AT[3], &[], 0);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let two = Two::new(&single("encryptionAlgorithm: ECDSA-P256\n"));
    let place = &two.0;
    two.prepare("ca");
    // The key in use, before anything was asked for.
    two.kpki(&["csr", "apiserver", "--out", "r", "--key", "d/pki/apiserver.key"], AT[1], &[], 0);
    let sign = |csr: &str, out: &str, ca: &str, as_: &str| {
        let (certificate, key) = (format!("{ca}.crt"), format!("{ca}.key"));
        let words = ["sign", csr, "--as", as_, "--profile", "p.yaml", "--dir", "d", "--at", AT[1], "--out", out];
        place.kpki(&[&words[..], &["--ca-cert", &certificate, "--ca-key", &key]].concat()).status(0);
    };
    sign("r/pki/apiserver.csr", "early.crt", "o/pki/ca", "apiserver");
    let run = two.kpki(&["import", "early.crt"], AT[1], &[], 1);
    assert!(run.stderr.contains("does not sign before the switch") && !run.wrote, "{}", run.stderr);
    assert!(run.stderr.contains("kpki rotate switch --dir d"), "{}", run.stderr);
    for option in ["--reuse-keys", "--cross-sign"] {
        let run = two.kpki(&["rotate", "switch", option], AT[1], &PASS, 2);
        assert!(run.stderr.contains(&format!("{option} is not for ca")) && !run.wrote, "{}", run.stderr);
    }
    two.switch(AT[1], 5);
    let request = "d/.kpki/requests/pki/apiserver.csr";
    sign(request, "stranger.crt", "o/pki/etcd/ca", "apiserver");
    sign(request, "other.crt", "o/pki/ca", "apiserver-kubelet-client");
    sign("r/pki/apiserver.csr", "key.crt", "o/pki/ca", "apiserver");
    for (file, says) in [
        ("stranger.crt", "does not chain"),
        ("other.crt", "it is for the key of apiserver"),
        ("key.crt", "does not sign before the switch"),
    ] {
        let run = two.kpki(&["import", file], AT[1], &[], 1);
        assert!(run.stderr.contains(says) && !run.wrote, "{file}: {}", run.stderr);
    }
    // What has ended until the switch is asked for again.
    for one in two.requested() {
        let more: &[&str] = if one == "pki/apiserver" { &["--validity", "1d"] } else { &[] };
        let signed = two.sign(&one, "ca", more);
        two.kpki(&["import", &signed], AT[1], &[], 5);
    }
    let before = two.used();
    let run = two.switch(AT[3], 5);
    assert!(run.stdout.contains("or has ended: apiserver; have it signed again"), "{}", run.stdout);
    assert!(two.used() == before);
    let signed = two.sign("pki/apiserver", "ca", &[]);
    two.kpki(&["import", &signed], AT[3], &[], 5);
    two.switch(AT[3], 0);
}

#[test]
fn a_preparation_that_is_taken_back_leaves_no_requests() {
    let two = Two::new(CLUSTER);
    let before = two.used();
    two.prepare("etcd-ca");
    two.switch(AT[1], 5);
    let first = two.requested().remove(0);
    let signed = two.sign(&first, "etcd-ca", &[]);
    two.kpki(&["import", &signed], AT[1], &[], 5);
    two.kpki(&["rotate", "back"], AT[1], &[], 0);
    assert!(two.used() == before && two.phase().is_none());
    assert_eq!(two.requested(), Vec::<String>::new());
    let run = two.kpki(&["import", &signed], AT[1], &[], 1);
    assert!(!run.wrote, "{}", run.stderr);
}

/// Nobody's key is here: neither the old nor the new one's.
#[test]
fn from_one_external_authority_to_another_and_back() {
    let two = Two::new(CLUSTER);
    let place = &two.0;
    for directory in ["d/pki", "d/nodes/cp1/pki"] {
        fs::remove_file(place.path(directory).join("etcd/ca.key")).unwrap();
    }
    two.prepare("etcd-ca");
    let before = two.used();
    two.switch(AT[1], 5);
    let signed: Vec<String> = two.requested().iter().map(|one| two.sign(one, "etcd-ca", &[])).collect();
    let words: Vec<&str> = ["import"].into_iter().chain(signed.iter().map(String::as_str)).collect();
    two.kpki(&words, AT[1], &[], 5);
    two.switch(AT[1], 0);
    assert!(!place.path("d/.kpki/rotation/etcd-ca.previous.key").exists());
    two.kpki(&["rotate", "back"], AT[1], &[], 0);
    assert!(two.used() == before);
    two.kpki(&["verify"], AT[1], &[], 0);
}

/// An authority whose key is here goes on in the same command.
#[test]
fn the_others_of_one_command_go_on() {
    let two = Two::new(CLUSTER);
    two.prepare("etcd-ca");
    two.kpki(&["rotate", "prepare", "front-proxy-ca", "sa"], AT[0], &[], 0);
    let run = two.switch(AT[1], 5);
    assert!(run.stdout.contains("switch front-proxy-ca, sa"), "{}", run.stdout);
    assert!(run.stdout.contains("etcd-ca stays prepared"), "{}", run.stdout);
    assert!(two.requested().iter().all(|one| one.contains("etcd")), "{:?}", two.requested());
}
