//! The import of an authority's certificate and key, killed at every one of its renames; then each verb that signs. What it
//! signs must verify under the authority that is in place afterwards, never under the one that was replaced.
//!
//! The interrupted states are put together here as the store writes them, so these are also the state files of today that a
//! later version must still understand.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::facts::decode;
use super::harness::{NOW, Place, single};

/// A verb, its arguments, and the file it signs.
const VERBS: &[(&str, &[&str], &str)] = &[
    ("sign", &["sign", "web.csr", "--usage", "client", "--out", "web.crt"], "web.crt"),
    ("kubeconfig user", &["kubeconfig", "user", "a", "--server", "https://a:6443", "--out", "a.conf"], "a.conf"),
    ("crl update", &["crl", "update", "ca", "-p", "p.yaml"], "t/pki/ca.crl"),
    (
        "revoke",
        &["revoke", "--serial", "0a0b0c", "--authority", "ca", "--unknown-serial", "-p", "p.yaml"],
        "t/pki/ca.crl",
    ),
    ("renew", &["renew", "apiserver", "-p", "p.yaml"], "t/pki/apiserver.crt"),
    ("init", &["init", "-p", "p.yaml"], "t/pki/apiserver.crt"),
];

/// How far the import got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    /// Everything is prepared, and nothing is decided: the old authority stays.
    Staged,
    Marked,
    Kept,
    KeyPlaced,
    CertificatePlaced,
    SignerPlaced,
    RequestKeyRemoved,
    RequestRemoved,
    Journaled,
    /// All is done but for the directory of what was prepared.
    Unmarked,
}

const POINTS: [Point; 10] = [
    Point::Staged,
    Point::Marked,
    Point::Kept,
    Point::KeyPlaced,
    Point::CertificatePlaced,
    Point::SignerPlaced,
    Point::RequestKeyRemoved,
    Point::RequestRemoved,
    Point::Journaled,
    Point::Unmarked,
];

/// `before` and `after`: a tree whose `ca` was imported once, and the same after the import of another one; `web.csr`.
fn imported() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "--dir", "offline"]).ok();
    fs::create_dir(place.path("t")).unwrap();
    for number in 1..=2 {
        at(&place, &["csr", "ca", "-p", "p.yaml", "--dir", "t"]);
        let root = ["--ca-cert", "offline/pki/ca.crt", "--ca-key", "offline/pki/ca.key"];
        let out = format!("ca{number}.crt");
        let words = [
            "sign",
            "t/.kpki/requests/pki/ca.csr",
            "--intermediate",
            "--as",
            "ca",
            "-p",
            "p.yaml",
            "--dir",
            "t",
            "--out",
            &out,
        ];
        at(&place, &[&words[..], &root].concat());
        if number == 2 {
            copy(&place.path("t"), &place.path("before"));
        }
        at(&place, &["import", &out, "-p", "p.yaml", "--dir", "t"]);
    }
    fs::rename(place.path("t"), place.path("after")).unwrap();
    at(&place, &["csr", "apiserver", "-p", "p.yaml", "--dir", "none", "--out", "requests"]);
    fs::copy(place.path("requests/pki/apiserver.csr"), place.path("web.csr")).unwrap();
    place
}

fn at(place: &Place, words: &[&str]) {
    place.kpki(&[words, &["--at", NOW]].concat()).status(0);
}

/// With every mode.
fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry.unwrap();
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target).unwrap();
            fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// `t` as the import leaves it that is killed at this point.
fn interrupted(place: &Place, point: Point) {
    let (tree, after) = (place.path("t"), place.path("after"));
    copy(&place.path("before"), &tree);
    let state = tree.join(".kpki");
    let staging = state.join("staging");
    fs::create_dir(&staging).unwrap();
    fs::set_permissions(&staging, fs::Permissions::from_mode(0o700)).unwrap();
    let generation = new_generation(place);
    let kept = after.join(".kpki/generations").join(&generation);
    copy(&kept, &staging.join("kept"));
    fs::copy(after.join("pki/ca.key"), staging.join("0")).unwrap();
    fs::copy(after.join("pki/ca.crt"), staging.join("1")).unwrap();
    fs::copy(after.join("pki/ca-signer.crt"), staging.join("2")).unwrap();
    let (old, new) = (place.read("before/.kpki/journal.jsonl"), place.read("after/.kpki/journal.jsonl"));
    fs::write(staging.join("journal"), new.strip_prefix(&old).unwrap()).unwrap();
    let removal = |path: &str| {
        let meta = fs::metadata(state.join(path)).unwrap();
        json!({
            "root": "state", "path": path, "inode": meta.ino(), "size": meta.size(),
            "modified": [meta.mtime(), meta.mtime_nsec()],
        })
    };
    let mark = json!({
        "version": 2, "generation": generation, "dirMode": 0o755, "kubelet": Value::Null,
        "files": [
            {"root": "main", "staged": "0", "path": "pki/ca.key", "replace": true},
            {"root": "main", "staged": "1", "path": "pki/ca.crt", "replace": true},
            {"root": "main", "staged": "2", "path": "pki/ca-signer.crt", "replace": true},
        ],
        "removals": [removal("requests/pki/ca.key"), removal("requests/pki/ca.csr")],
        "journal": old.len(), "keepGenerations": Value::Null,
    });
    fs::write(staging.join("commit"), mark.to_string()).unwrap();
    let rename = |from: &str, to: &str| fs::rename(tree.join(from), tree.join(to)).unwrap();
    let remove = |name: &str| fs::remove_file(tree.join(name)).unwrap();
    for step in POINTS.into_iter().filter(|step| *step <= point) {
        match step {
            Point::Staged => {}
            Point::Marked => rename(".kpki/staging/commit", ".kpki/commit"),
            Point::Kept => rename(".kpki/staging/kept", &format!(".kpki/generations/{generation}")),
            Point::KeyPlaced => rename(".kpki/staging/0", "pki/ca.key"),
            Point::CertificatePlaced => rename(".kpki/staging/1", "pki/ca.crt"),
            Point::SignerPlaced => rename(".kpki/staging/2", "pki/ca-signer.crt"),
            Point::RequestKeyRemoved => remove(".kpki/requests/pki/ca.key"),
            Point::RequestRemoved => remove(".kpki/requests/pki/ca.csr"),
            Point::Journaled => fs::write(state.join("journal.jsonl"), &new).unwrap(),
            Point::Unmarked => rename(".kpki/commit", ".kpki/staging/commit"),
        }
    }
}

/// The generation that the second import made.
fn new_generation(place: &Place) -> String {
    let entries = fs::read_dir(place.path("after/.kpki/generations")).unwrap();
    let mut names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.find(|name| !place.path("before/.kpki/generations").join(name).exists()).unwrap()
}

/// What is wrong with the tree and with what was signed.
fn faults(place: &Place, point: Point, output: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let (wanted, other) = if point == Point::Staged { ("before", "after") } else { ("after", "before") };
    for file in ["pki/ca.key", "pki/ca.crt", "pki/ca-signer.crt"] {
        if place.read(&format!("t/{file}")) != place.read(&format!("{wanted}/{file}")) {
            faults.push(format!("{file} is not what the recovery puts in place"));
        }
    }
    let state = place.path("t/.kpki");
    for rest in ["commit", "staging"] {
        if state.join(rest).exists() {
            faults.push(format!("{rest} is left"));
        }
    }
    if !place.read("t/.kpki/journal.jsonl").starts_with(&place.read(&format!("{wanted}/.kpki/journal.jsonl"))) {
        faults.push("the journal has not the lines of the import".to_owned());
    }
    if state.join("generations").join(new_generation(place)).exists() != (wanted == "after") {
        faults.push("the generation of the import is not what it should be".to_owned());
    }
    if state.join("requests/pki/ca.key").exists() != (wanted == "before") {
        faults.push("the request is not what it should be".to_owned());
    }
    let signed = place.read(output);
    if !verifies(&signed, &place.read(&format!("{wanted}/pki/ca.crt"))) {
        let replaced = verifies(&signed, &place.read(&format!("{other}/pki/ca.crt")));
        faults.push(format!("{output} does not verify under ca.crt; under the other one: {replaced}"));
    }
    if let Some(authority) = field(&signed, "certificate-authority-data: ")
        && authority != place.read(&format!("{wanted}/pki/ca.crt"))
    {
        faults.push(format!("{output} trusts another authority than ca.crt"));
    }
    faults
}

/// A line of a kubeconfig, decoded.
fn field(kubeconfig: &str, name: &str) -> Option<String> {
    let data = kubeconfig.split(name).nth(1)?.lines().next()?;
    Some(String::from_utf8(decode(data)).unwrap())
}

/// Whether a certificate, list or kubeconfig was signed with the key of this authority; nothing of kpki decides it.
fn verifies(signed: &str, authority: &str) -> bool {
    let authority = pem::parse_many(authority).unwrap().remove(0);
    let (_, authority) = X509Certificate::from_der(authority.contents()).unwrap();
    let key = &authority.tbs_certificate.subject_pki.subject_public_key.data;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
    let text = field(signed, "client-certificate-data: ").unwrap_or_else(|| signed.to_owned());
    let block = pem::parse_many(&text).unwrap().remove(0);
    match block.tag() {
        "X509 CRL" => {
            let (_, crl) = CertificateRevocationList::from_der(block.contents()).unwrap();
            key.verify(crl.tbs_cert_list.as_ref(), &crl.signature_value.data).is_ok()
        }
        _ => {
            let (_, leaf) = X509Certificate::from_der(block.contents()).unwrap();
            key.verify(leaf.tbs_certificate.as_ref(), &leaf.signature_value.data).is_ok()
        }
    }
}

#[test]
fn every_verb_signs_with_the_authority_that_is_in_place() {
    let place = imported();
    let mut wrong = Vec::new();
    for (verb, words, output) in VERBS {
        for point in POINTS {
            let _ = fs::remove_dir_all(place.path("t"));
            let _ = fs::remove_file(place.path(output));
            interrupted(&place, point);
            let run = place.kpki(&[words, &["--dir", "t", "--at", NOW][..]].concat());
            let found = if run.status != 0 { vec![run.stderr] } else { faults(&place, point, output) };
            wrong.extend(found.iter().map(|why| format!("{verb} at {point:?}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The states above are those of the store: the same import again makes of each the tree of an undisturbed one.
#[test]
fn an_import_that_was_killed_can_be_repeated() {
    let place = imported();
    let files = |name: &str| {
        let mut all = super::harness::tree(&place.path(name));
        all.retain(|name, _| !name.ends_with(".kpki/lock"));
        all
    };
    for point in POINTS {
        let _ = fs::remove_dir_all(place.path("t"));
        interrupted(&place, point);
        at(&place, &["import", "ca2.crt", "-p", "p.yaml", "--dir", "t"]);
        let (found, wanted) = (files("t"), files("after"));
        let differ = |name: &&String| found.get(*name) != wanted.get(*name);
        let names: Vec<&String> = found.keys().chain(wanted.keys()).filter(differ).collect();
        assert!(names.is_empty(), "{point:?}: {names:?}");
    }
}

const LEFT: &str =
    "an interrupted run is not finished: the files are partly old and partly new; any run that may write completes it";

/// Verbs that only look, and runs that may not write, say that a committed run waits, and leave it as it is.
#[test]
fn who_only_looks_says_that_a_run_waits() {
    let place = imported();
    interrupted(&place, Point::KeyPlaced);
    let before = super::harness::tree(&place.path("t"));
    for words in [
        &["history"][..],
        &["revoke", "--serial", "0a0b0c", "--authority", "ca", "--unknown-serial", "-p", "p.yaml", "--dry-run"],
        &["crl", "update", "-p", "p.yaml", "--dry-run"],
        &["renew", "all", "-p", "p.yaml", "--dry-run"],
        &["csr", "apiserver", "-p", "p.yaml", "--dry-run"],
        &["restore", "--dry-run"],
        &["sign", "web.csr", "--usage", "client", "--out", "-", "-p", "p.yaml", "--dry-run"],
    ] {
        let at = if words[0] == "history" { vec![] } else { vec!["--at", NOW] };
        let run = place.kpki(&[words, &["--dir", "t"], &at[..]].concat());
        let said = format!("{}{}", run.stdout, run.stderr);
        // In one line, or wrapped by a table.
        assert!(said.contains(LEFT), "{words:?}: {said}");
        assert!(super::harness::tree(&place.path("t")) == before, "{words:?} wrote");
    }
}

/// `check-expiration` completes the run where it may, and says so in every form.
#[test]
fn check_expiration_says_what_it_completed() {
    let place = imported();
    let generation = new_generation(&place);
    let message = format!("the interrupted run {generation} was completed just now");
    for form in ["table", "wide", "json", "yaml", "csv", "nagios"] {
        let _ = fs::remove_dir_all(place.path("t"));
        interrupted(&place, Point::KeyPlaced);
        let run = place.kpki(&["check-expiration", "t", "-o", form, "--at", NOW, "--exit-zero"]).status(0);
        assert!(run.stdout.contains(&message), "{form}: {}", run.stdout);
        assert!(!place.path("t/.kpki/commit.json").exists(), "{form}");
    }
}
