//! Without the passphrase: what the authority would sign is left, and everything else is done.

use std::fs;

use super::source::{Made, Source, made};
use super::{DAY_1, certificate};
use crate::harness::Run;

const WHY: &str = "it is encrypted, and there is no passphrase";

fn run(made: &Made, words: &[&str]) -> Run {
    let at = if words.contains(&"--at") { vec![] } else { vec!["--at", DAY_1] };
    made.place.kpki(&[words, &["--dir", "c"], &at].concat())
}

/// Of a verb about this authority alone nothing is done.
#[test]
fn a_verb_of_one_authority_fails_and_writes_nothing() {
    let made = made(Source::Encrypted);
    let rows: &[&[&str]] = &[
        &["revoke", "cp1/apiserver"],
        &["revoke", "cp1/apiserver", "cp1/etcd-peer"],
        &["hold", "cp1/apiserver"],
        &["crl", "update", "ca"],
        &["sign", "jane.csr", "--usage", "client", "--subject", "CN=jane"],
        &["kubeconfig", "user", "jane", "--group", "staff"],
        &["renew", "ca", "--validity", "20y"],
        &["renew", "ca", "etcd-ca", "--validity", "20y"],
    ];
    for words in rows {
        let run = run(&made, words).fails(1);
        assert!(run.stderr.contains(WHY), "{words:?}: {}", run.stderr);
        assert!(run.stderr.contains("hint: give it with --key-passphrase-file FILE"), "{words:?}: {}", run.stderr);
    }
    assert!(!made.place.path("jane.crt").exists());
}

#[test]
fn what_others_sign_is_done() {
    let made = made(Source::Encrypted);
    let revoked = run(&made, &["revoke", "cp1/all"]).status(5);
    assert!(revoked.stdout.contains(WHY), "{}", revoked.stdout);
    for list in ["etcd/ca.crl", "front-proxy-ca.crl"] {
        assert!(made.place.path(&format!("c/pki/{list}")).exists(), "{list}");
    }
    let updated = run(&made, &["crl", "update"]).status(5);
    assert!(updated.stdout.contains("ca.crl") && updated.stdout.contains(WHY), "{}", updated.stdout);
    let asked = run(&made, &["csr", "ca", "etcd-ca"]).status(5);
    assert!(asked.stdout.contains(WHY), "{}", asked.stdout);
    assert!(made.place.path("c/.kpki/requests/pki/etcd/ca.csr").exists());
    let removed = run(&made, &["nodes", "remove", "cp2", "--revoke"]).status(5);
    assert!(removed.stdout.contains(WHY) && !made.place.path("c/nodes/cp2").exists(), "{}", removed.stdout);
    assert!(!made.place.path("c/pki/ca.crl").exists());
}

/// The mail and the journal of a job say why, once for each authority; JSON says it with each entry.
#[test]
fn a_quiet_run_says_why_a_key_was_not_opened() {
    let made = made(Source::Encrypted);
    let words = &["renew", "cp1/apiserver", "cp1/admin.conf", "cp1/etcd-peer"][..];
    let key = made.place.path("c/pki/ca.key").display().to_string();
    let cause = format!("the key of ca: {key}: {WHY}");
    let quiet = run(&made, &[words, &["-q"]].concat()).status(5);
    assert_eq!(quiet.stdout, "");
    assert!(
        quiet.stderr.starts_with(&format!("error: c: {cause}; give it with --key-passphrase-file")),
        "{}",
        quiet.stderr
    );
    let left =
        |entry: &str| format!("error: c: {entry} was not renewed: the key of its signer ca could not be opened\n");
    assert!(quiet.stderr.ends_with(&(left("cp1/apiserver") + &left("cp1/admin.conf"))), "{}", quiet.stderr);
    assert_eq!(quiet.stderr.lines().count(), 3, "{}", quiet.stderr);
    let said = run(&made, words).status(5);
    assert_eq!((said.stderr.matches(&cause).count(), said.stdout.matches(&cause).count()), (1, 0), "{}", said.stderr);
    let report = run(&made, &[words, &["-o", "json"]].concat()).status(5).json();
    let entries = report["trees"][0]["entries"].as_array().unwrap();
    let reasons = serde_json::json!(["the key of its signer ca could not be opened", cause]);
    assert_eq!(entries.iter().filter(|entry| entry["reasons"] == reasons).count(), 2, "{report}");
}

/// A scheduled job says that a list runs out which nobody could sign.
#[test]
fn a_due_list_of_an_authority_whose_key_does_not_open_is_said_and_counted() {
    let made = made(Source::Encrypted);
    made.kpki(&["crl", "update"]).status(0);
    let before = made.place.read("c/pki/ca.crl");
    let at = ["--at", "2026-12-18T00:00:00Z"];
    let left = run(&made, &[&["renew", "all", "--due"][..], &at].concat()).status(5);
    let quiet = run(&made, &[&["renew", "all", "--due", "-q"][..], &at].concat()).status(5);
    assert!(quiet.stderr.contains("ca.crl is due, and was not signed: the key of ca"), "{}", quiet.stderr);
    assert!(left.stdout.contains("ca.crl is due and was not signed"), "{}", left.stdout);
    assert_eq!(made.place.read("c/pki/ca.crl"), before);
    let list = |words: &[&str]| {
        let report = run(&made, &[words, &at, &["-o", "json"]].concat());
        report.json()["trees"][0]["revocationLists"].clone()
    };
    assert_eq!(list(&["renew", "all", "--due"])[0]["action"], "left");
    run(&made, &[&["crl", "update", "--due"][..], &at].concat()).status(5);
    let file = ["--key-passphrase-file", "pass"];
    run(&made, &[&["renew", "all", "--due"][..], &at, &file].concat()).status(0);
    assert!(made.place.read("c/pki/ca.crl") != before);
    run(&made, &[&["renew", "all", "--due"][..], &at].concat()).status(0);
}

/// What is wrong with a key is said in its own words, and nothing of it is.
#[test]
fn what_is_wrong_with_a_key_is_said() {
    let made = made(Source::File);
    let place = &made.place;
    place.write("no.key", "nothing\n");
    for name in ["no.key", "secure/other.key"] {
        place.write(name, if name == "no.key" { "nothing\n".to_owned() } else { place.read("c/pki/etcd/ca.key") });
        fs::set_permissions(place.path(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let rows: &[(&str, &str)] = &[
        ("ca=no.key", "the key of ca: no.key: "),
        ("ca=secure/other.key", "expected the key of the authority's certificate, found another one"),
        ("ca=secure/locked.key", WHY),
        ("ca=missing.key", "the key of ca: missing.key: it is missing"),
        ("ca=/dev/null", "/dev/null is not trusted"),
        ("ca=secure", "it is a directory, not a regular file"),
    ];
    for (given, why) in rows {
        let run = run(&made, &["crl", "update", "ca", "--authority-key", given]).fails(1);
        assert!(run.stderr.contains(why), "{given}: {}", run.stderr);
    }
    certificate(place, "c/pki/ca.crt");
}
