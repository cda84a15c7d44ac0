//! `kpki revoke`, `hold`, `release` and `kpki crl`: what is said, what lies in the tree afterwards, and what is refused.

use std::fs;

use kpki::blueprint::Algorithm;
use kpki::ca::{self, Issuer, PrivateKey, SignedCrl};
use kpki::encoding::extension::extension;
use kpki::revocation::{CrlIssue, Number, Reason, RevocationList, Revoked};
use kpki::x509::crl_entry::entries;
use kpki::x509::{Certificate, Crl, parse_pem_bundle};
use serde_json::Value;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::expect::recorded;
use super::harness::{NOW, Place, Run, copy_tree, names, repository, single, tree};
use super::schema;

const DAY_1: &str = "2026-11-21T00:00:00Z";
const AT: OffsetDateTime = datetime!(2026-11-21 0:00 UTC);

fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["-p", "p.yaml", "-d", "d"]).ok();
    place
}

/// These words about the tree in `d`, a day after it was made.
fn on(place: &Place, words: &[&str]) -> Run {
    at(place, DAY_1, words)
}

fn at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[words, &["-d", "d", "--at", at]].concat())
}

fn certificate(place: &Place, path: &str) -> Certificate {
    parse_pem_bundle(place.read(path).as_bytes()).unwrap().remove(0)
}

fn issuer(place: &Place, stem: &str) -> Issuer {
    let key = PrivateKey::from_pem(place.read(&format!("d/pki/{stem}.key")).as_bytes()).unwrap();
    Issuer::new(vec![certificate(place, &format!("d/pki/{stem}.crt"))], key).unwrap()
}

fn der(place: &Place, path: &str) -> Vec<u8> {
    let text = place.read(path);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    kpki::encoding::base64::decode(body.as_bytes()).unwrap().to_vec()
}

fn listed(place: &Place, path: &str) -> (Crl, Vec<Revoked>) {
    let der = der(place, path);
    let crl = Crl::parse(&der).unwrap();
    let all = entries(crl.entries_in(&der)).map(|one| one.unwrap().1.revoked().unwrap()).collect();
    (crl, all)
}

fn list(number: u64, at: OffsetDateTime, revoked: Vec<Revoked>, by: &Issuer) -> SignedCrl {
    let edition = CrlIssue { number: Number::from(number), this_update: at, next_update: at + Duration::days(30) };
    ca::sign_crl(&RevocationList { edition, revoked }, by).unwrap()
}

fn entry(serial: &[u8], reason: Option<Reason>) -> Revoked {
    Revoked { serial: serial.to_vec(), at: AT - Duration::HOUR, reason, invalid_since: None, other: vec![] }
}

/// A tree of real kubeadm's, whose authorities have no cRLSign.
fn kubeadms() -> (Place, String) {
    let place = Place::new();
    let fixture = repository("fixtures/kubeadm/v1.36-default-rsa2048");
    copy_tree(&fixture.join("etc-kubernetes"), &place.path("d"));
    (place, fs::read_to_string(fixture.join("made-at")).unwrap().trim().to_owned())
}

#[test]
fn every_form_says_the_same_and_kubeadms_authority_is_warned_about() {
    for form in ["table", "wide", "json", "yaml"] {
        let (place, made) = kubeadms();
        let words = ["revoke", "admin.conf", "apiserver-etcd-client", "--reason", "keyCompromise", "-o", form];
        let run = at(&place, &made, &words).warns();
        recorded(&format!("golden/revoke.{form}"), &run.stdout);
        recorded("golden/revoke.stderr", &run.stderr);
        let check = at(&place, &made, &["crl", "check", "admin.conf", "apiserver", "-o", form]).status(4);
        recorded(&format!("golden/crl-check.{form}"), &check.stdout);
        let shown = place.kpki(&["crl", "show", "d/pki/etcd/ca.crl", "--at", &made, "-o", form]).ok();
        recorded(&format!("golden/crl-show.{form}"), &shown.stdout);
    }
}

#[test]
fn strict_readers_take_no_list_of_kubeadms_authority() {
    let (place, made) = kubeadms();
    at(&place, &made, &["crl", "update"]).warns();
    assert_eq!(names(&place.path("d")).iter().filter(|name| name.ends_with(".crl")).count(), 3);
    at(&place, &made, &["crl", "check", "apiserver"]).ok();
    let strict = at(&place, &made, &["crl", "check", "apiserver", "--strict"]).status(1);
    assert!(strict.stdout.contains("cRLSign"), "{}", strict.stdout);
}

#[test]
fn revoked_twice_is_revoked_once_and_nothing_is_changed_for_good() {
    let place = made();
    let before = tree(&place.path("d"));
    on(&place, &["revoke", "etcd-peer", "--dry-run"]).ok();
    assert!(tree(&place.path("d")) == before);
    on(&place, &["revoke", "etcd-peer", "--invalid-since", "-3d"]).ok();
    let (crl, all) = listed(&place, "d/pki/etcd/ca.crl");
    let serial = certificate(&place, "d/pki/etcd/peer.crt").serial;
    let since = Some(AT - Duration::days(3));
    assert_eq!(all, [Revoked { serial, at: AT, reason: None, invalid_since: since, other: vec![] }]);
    assert_eq!(crl.edition(), Some(Number::from(1)));
    assert_eq!(crl.next_update, Some(AT + Duration::days(30)));
    assert_eq!(tree(&place.path("d"))["pki/etcd/ca.crl"].0, 0o644);
    // The lock is a file, too.
    let published = || {
        let mut found = tree(&place.path("d"));
        found.retain(|path, _| path != ".kpki/lock");
        found
    };
    let after = published();
    let again = at(&place, "2026-11-22", &["revoke", "etcd-peer"]).ok();
    assert!(again.stdout.starts_with("nothing to do, it is revoked already"), "{}", again.stdout);
    for (words, hint) in [
        (&["revoke", "etcd-peer", "--reason", "superseded"][..], "a revocation is never changed"),
        (&["hold", "etcd-peer"], "cannot be held"),
        (&["release", "etcd-peer"], "kpki renew"),
    ] {
        let refused = on(&place, words).fails(1);
        assert!(refused.stderr.contains("nothing was written") && refused.stderr.contains(hint), "{}", refused.stderr);
    }
    assert!(published() == after);
}

#[test]
fn a_hold_is_taken_back_or_becomes_final_as_of_its_own_day() {
    let place = made();
    // etcd reads nothing but DER from 3.6 on: nobody has to ask.
    on(&place, &["hold", "etcd-peer", "etcd-server"]).ok();
    assert!(at(&place, "2026-11-22", &["hold", "etcd-peer"]).ok().stdout.starts_with("nothing to do"));
    at(&place, "2026-11-22", &["release", "etcd-peer"]).ok();
    at(&place, "2026-11-23", &["revoke", "etcd-server", "--reason", "cessationofoperation"]).ok();
    let (crl, all) = listed(&place, "d/pki/etcd/ca.crl");
    let serial = certificate(&place, "d/pki/etcd/server.crt").serial;
    let reason = Some(Reason::CessationOfOperation);
    assert_eq!(all, [Revoked { serial, at: AT, reason, invalid_since: None, other: vec![] }]);
    assert_eq!(crl.edition(), Some(Number::from(3)));
    assert_eq!(fs::read(place.path("d/pki/etcd/ca.crl.der")).unwrap(), der(&place, "d/pki/etcd/ca.crl"));
    let released = at(&place, "2026-11-24", &["release", "etcd-peer"]).ok();
    assert!(released.stdout.starts_with("nothing to do, no CRL has it"), "{}", released.stdout);
    // A clock that was turned back is told of.
    assert!(on(&place, &["revoke", "etcd-peer"]).warns().stderr.contains("the clock was wrong then, or is now"));
}

#[test]
fn who_is_meant() {
    let place = made();
    let server = certificate(&place, "d/pki/etcd/server.crt");
    at(&place, "2026-11-20T23:00:00Z", &["renew", "etcd-server"]).ok();
    // The number is in the journal, and in a generation.
    let hex = server.serial_hex();
    let by_number = ["revoke", "--serial", &hex, "--authority", "etcd-ca"];
    let run = on(&place, &by_number).ok();
    assert!(run.stdout.contains("etcd-server") && !run.stdout.contains("Still in use"), "{}", run.stdout);
    fs::remove_file(place.path("d/.kpki/journal.jsonl")).unwrap();
    at(&place, "2026-11-22", &by_number).ok();
    fs::remove_dir_all(place.path("d/.kpki/generations")).unwrap();
    assert!(at(&place, "2026-11-22", &by_number).fails(1).stderr.contains("--unknown-serial"));
    on(&place, &[&by_number[..], &["--unknown-serial"]].concat()).ok();
    // By itself; of somebody else.
    place.write("old.crt", server.to_pem());
    assert!(on(&place, &["revoke", "--cert", "old.crt"]).ok().stdout.starts_with("nothing to do"));
    let other = made();
    place.write("other.crt", other.read("d/pki/etcd/peer.crt"));
    assert!(on(&place, &["revoke", "--cert", "other.crt"]).fails(1).stderr.contains("no authority of this tree"));
    for (words, said) in [
        (&["revoke", "ca"][..], "cannot revoke ca: it is an authority"),
        (&["revoke", "sa"], "cannot revoke sa: it is a key pair without a certificate"),
        (&["hold", "sa"], "cannot hold sa: "),
        (&["release", "etcd-pear"], "there is no certificate \"etcd-pear\" to release"),
        (&["revoke", "etcd-pear"], "there is no certificate"),
        (&["revoke"], "required"),
        (&["revoke", "--serial", "05"], "--authority"),
        (&["revoke", "--serial", "xx", "--authority", "ca"], "hexadecimal"),
        (&["revoke", "etcd-peer", "--reason", "certificateHold"], "invalid value"),
        (&["revoke", "etcd-peer", "--reason", "removeFromCRL"], "invalid value"),
        (&["revoke", "etcd-peer", "--invalid-since", "+1d"], "future"),
        (&["crl", "update", "etcd"], "expected one of"),
    ] {
        let refused = on(&place, words).fails(2);
        assert!(refused.stderr.contains(said), "{words:?}: {}", refused.stderr);
    }
}

#[test]
fn in_a_cluster_directory_every_copy_goes_along_and_a_bare_name_is_not_enough() {
    let place = Place::new();
    let nodes = "- name: cp2\n  addresses: [10.0.0.12]\n- name: w1\n  addresses: [10.0.0.13]\n  roles: [worker]\n";
    place.write("p.yaml", single(&format!("{nodes}controlPlaneEndpoint: 10.0.0.1:6443\n")));
    place.init(&["-p", "p.yaml", "-d", "d"]).ok();
    let refused = on(&place, &["revoke", "etcd-peer"]).fails(2);
    assert!(refused.stderr.contains("cp1/etcd-peer, cp2/etcd-peer"), "{}", refused.stderr);
    let run = on(&place, &["revoke", "cp1/etcd-peer", "cp2/admin.conf", "-o", "json"]).ok().json();
    assert_eq!(run["inUse"], serde_json::json!(["cp1/etcd-peer", "cp2/admin.conf"]));
    for (shared, holders) in [("ca.crl", &["cp1", "cp2", "w1"][..]), ("etcd/ca.crl", &["cp1", "cp2"])] {
        for node in ["cp1", "cp2", "w1"] {
            let copy = place.path(&format!("d/nodes/{node}/pki/{shared}"));
            let found = fs::read(&copy).ok();
            let wanted = holders.contains(&node).then(|| fs::read(place.path(&format!("d/pki/{shared}"))).unwrap());
            assert!(found == wanted, "{}", copy.display());
        }
    }
    let states = place.kpki(&["check-expiration", "d", "--at", "2026-11-22", "-o", "json"]).status(4).json();
    let revoked: Vec<(Value, Value)> = states["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["state"] == "revoked")
        .map(|one| (one["node"].clone(), one["name"].clone()))
        .collect();
    assert_eq!(revoked, [("cp1".into(), "etcd-peer".into()), ("cp2".into(), "admin.conf".into())]);
    on(&place, &["crl", "check", "cp1/etcd-peer"]).status(4);
    on(&place, &["crl", "check", "cp2/etcd-peer"]).ok();
}

#[test]
fn a_list_of_somebody_elses_is_taken_over_entry_by_entry() {
    let place = made();
    let by = issuer(&place, "etcd/ca");
    let strange = Revoked { other: extension(&[0x55, 0x1d, 99], false, &[5, 0]), ..entry(&[0x41; 9], None) };
    let theirs = vec![entry(&[0x31; 12], Some(Reason::Superseded)), strange];
    place.write("d/pki/etcd/ca.crl", list(1 << 40, AT - Duration::DAY, theirs.clone(), &by).to_pem());
    on(&place, &["revoke", "etcd-peer"]).ok();
    let (crl, all) = listed(&place, "d/pki/etcd/ca.crl");
    assert_eq!(all.get(..2), Some(theirs.as_slice()));
    assert_eq!((all.len(), crl.edition()), (3, Some(Number::from((1 << 40) + 1))));
    on(&place, &["crl", "update", "etcd-ca"]).ok();
    assert_eq!(listed(&place, "d/pki/etcd/ca.crl").1, all);
}

#[test]
fn what_is_not_the_authoritys_list_is_never_continued() {
    let place = made();
    let stranger = made();
    let by = issuer(&place, "etcd/ca");
    let good = list(7, AT - Duration::DAY, vec![entry(&[5], None)], &by);
    let mut broken = good.der.clone();
    *broken.last_mut().unwrap() ^= 1;
    let of = |name: &str, place: &Place| list(7, AT - Duration::DAY, vec![], &issuer(place, name)).der;
    for (what, der) in [
        ("a broken signature", broken),
        ("another authority's", of("front-proxy-ca", &place)),
        ("one of the same name", of("etcd/ca", &stranger)),
        ("cut short", good.der[..good.der.len() - 9].to_vec()),
        ("none", b"hello".to_vec()),
    ] {
        place.write("d/pki/etcd/ca.crl", &der);
        let before = names(&place.path("d"));
        for words in [&["revoke", "etcd-peer"][..], &["revoke", "etcd-peer", "--dry-run"], &["crl", "update"]] {
            let refused = on(&place, words).fails(1);
            assert!(
                refused.stderr.contains("d/pki/etcd/ca.crl") && refused.stderr.contains("move it away"),
                "{what}: {}",
                refused.stderr
            );
        }
        assert_eq!(fs::read(place.path("d/pki/etcd/ca.crl")).unwrap(), der, "{what}");
        assert_eq!(names(&place.path("d")), before);
        // Nor does it keep anything else from being renewed, or say of anybody that he is good.
        let renewed = on(&place, &["renew", "etcd-peer"]).warns();
        assert!(renewed.stderr.contains("cannot be used"), "{what}: {}", renewed.stderr);
        on(&place, &["crl", "check", "etcd-peer"]).status(1);
        let states = place.kpki(&["check-expiration", "d", "--at", DAY_1, "-o", "json", "--exit-zero"]).ok().json();
        assert_eq!(states["verdict"]["counts"]["revoked"], 0, "{what}");
    }
}

/// It says of the certificate what is wanted, so that there is nothing to sign; but its authority has not said it.
#[test]
fn a_list_that_needs_no_change_is_verified_all_the_same() {
    let place = made();
    let serial = certificate(&place, "d/pki/etcd/peer.crt").serial;
    let mut der = list(7, AT - Duration::DAY, vec![entry(&serial, None)], &issuer(&place, "etcd/ca")).der;
    place.write("d/pki/etcd/ca.crl", &der);
    on(&place, &["revoke", "etcd-peer"]).ok();
    *der.last_mut().unwrap() ^= 1;
    place.write("d/pki/etcd/ca.crl", &der);
    for words in [&["revoke", "etcd-peer"][..], &["revoke", "etcd-peer", "--dry-run"]] {
        let refused = on(&place, words).fails(1);
        assert!(refused.stderr.contains("d/pki/etcd/ca.crl"), "{}", refused.stderr);
    }
}

#[test]
fn what_a_list_lost_the_journal_still_knows() {
    let place = made();
    on(&place, &["hold", "etcd-peer"]).ok();
    let first = fs::read(place.path("d/pki/etcd/ca.crl")).unwrap();
    on(&place, &["revoke", "etcd-server", "--reason", "keyCompromise"]).ok();
    on(&place, &["release", "etcd-peer"]).ok();
    let (_, all) = listed(&place, "d/pki/etcd/ca.crl");
    // Put back by hand: the newer revocation is on the next edition again, and the hold is not.
    fs::write(place.path("d/pki/etcd/ca.crl"), first).unwrap();
    assert!(on(&place, &["release", "etcd-server"]).fails(1).stderr.contains("keyCompromise"));
    let run = on(&place, &["crl", "update", "etcd-ca"]).warns();
    assert!(run.stderr.contains("older than the journal"), "{}", run.stderr);
    let (crl, again) = listed(&place, "d/pki/etcd/ca.crl");
    assert_eq!((crl.edition(), again), (Some(Number::from(4)), all.clone()));
    // Gone altogether; also without the journal the number does not start over.
    fs::remove_file(place.path("d/pki/etcd/ca.crl")).unwrap();
    on(&place, &["crl", "update", "etcd-ca"]).warns();
    let (crl, again) = listed(&place, "d/pki/etcd/ca.crl");
    assert_eq!((crl.edition(), again), (Some(Number::from(5)), all));
    on(&place, &["crl", "update", "etcd-ca"]).ok();
    fs::remove_file(place.path("d/pki/etcd/ca.crl")).unwrap();
    fs::remove_file(place.path("d/.kpki/journal.jsonl")).unwrap();
    on(&place, &["crl", "update", "etcd-ca"]).ok();
    assert_eq!(listed(&place, "d/pki/etcd/ca.crl").0.edition(), Some(Number::from(6)));
}

#[test]
fn without_the_authoritys_key_nothing_is_signed() {
    let place = made();
    on(&place, &["crl", "update"]).ok();
    fs::remove_file(place.path("d/pki/etcd/ca.key")).unwrap();
    for words in [&["revoke", "etcd-peer"][..], &["crl", "update", "etcd-ca"]] {
        let refused = on(&place, words).fails(1);
        assert!(refused.stderr.contains("the key of etcd-ca is not in this tree"), "{}", refused.stderr);
    }
    at(&place, "2026-11-22", &["crl", "update", "--due"]).ok();
    at(&place, "2026-12-12", &["crl", "update", "--due"]).status(5);
    // To ask needs no key.
    on(&place, &["crl", "check", "etcd-peer"]).ok();
}

#[test]
fn a_list_is_refreshed_in_its_window_and_not_before() {
    let place = made();
    on(&place, &["crl", "update", "etcd-ca"]).ok();
    let before = tree(&place.path("d"));
    assert!(at(&place, "2026-12-11", &["crl", "update", "--due"]).ok().stdout.starts_with("nothing to do"));
    assert!(tree(&place.path("d")) == before);
    at(&place, "2026-12-12", &["crl", "update", "--due", "--dry-run"]).ok();
    assert!(tree(&place.path("d")) == before);
    at(&place, "2026-12-12", &["crl", "update", "--due"]).ok();
    let number = |n: u64| Some(Number::from(n));
    assert_eq!(listed(&place, "d/pki/etcd/ca.crl").0.edition(), number(2));
    assert!(!place.path("d/pki/ca.crl").exists());
    // `renew --due` does it, too, in its own transaction; with names, or without --due, certificates are meant.
    at(&place, "2027-01-05", &["renew", "etcd-peer"]).ok();
    assert_eq!(listed(&place, "d/pki/etcd/ca.crl").0.edition(), number(2));
    let run = at(&place, "2027-01-05", &["renew", "all", "--due", "-o", "json"]).ok().json();
    assert_eq!(run["trees"][0]["revocationLists"][0]["crlNumber"], "3");
    assert_eq!(listed(&place, "d/pki/etcd/ca.crl").0.edition(), number(3));
    assert!(at(&place, "2027-01-05", &["renew", "all", "--due"]).ok().stdout.starts_with("nothing was renewed"));
}

#[test]
fn what_is_revoked_is_renewed_with_a_new_key_and_what_is_held_waits() {
    let place = made();
    on(&place, &["revoke", "etcd-peer"]).ok();
    on(&place, &["hold", "etcd-server"]).ok();
    let before = tree(&place.path("d"));
    let run = on(&place, &["renew", "all", "--due", "--reuse-key"]).warns();
    assert!(run.stdout.contains("revoked since 2026-11-21T00:00:00Z"), "{}", run.stdout);
    assert!(run.stderr.contains("etcd-server is held"), "{}", run.stderr);
    let after = tree(&place.path("d"));
    let changed = |path: &&String| before.get(*path) != after.get(*path) && !path.starts_with(".kpki");
    let changed: Vec<&str> = after.keys().filter(changed).map(String::as_str).collect();
    assert_eq!(changed, ["pki/etcd/peer.crt", "pki/etcd/peer.key"]);
    on(&place, &["crl", "check", "etcd-peer"]).ok();
    on(&place, &["renew", "all", "--due"]).warns();
    assert_eq!(fs::read(place.path("d/pki/etcd/peer.crt")).unwrap(), after["pki/etcd/peer.crt"].1);
}

#[test]
fn going_back_never_takes_a_revocation_back() {
    let place = made();
    on(&place, &["revoke", "etcd-peer"]).ok();
    let peer = fs::read(place.path("d/pki/etcd/peer.crt")).unwrap();
    on(&place, &["renew", "etcd-peer"]).ok();
    on(&place, &["revoke", "etcd-server"]).ok();
    let list = fs::read(place.path("d/pki/etcd/ca.crl")).unwrap();
    let dry = place
        .kpki(&["restore", "20261121T000000Z-revoke", "-d", "d", "--dry-run", "--force", "-o", "json"])
        .status(0)
        .json();
    assert_eq!(dry["listsLeft"], serde_json::json!(["pki/etcd/ca.crl", "pki/etcd/ca.crl.der"]));
    place.kpki(&["restore", "20261121T000000Z-revoke", "-d", "d"]).fails(1);
    let run = place.kpki(&["restore", "20261121T000000Z-revoke", "-d", "d", "--force"]).status(0);
    assert!(run.stdout.contains("an older CRL would undo revocations"), "{}", run.stdout);
    assert_eq!(fs::read(place.path("d/pki/etcd/peer.crt")).unwrap(), peer);
    assert_eq!(fs::read(place.path("d/pki/etcd/ca.crl")).unwrap(), list);
    on(&place, &["crl", "check", "etcd-peer", "etcd-server"]).status(4);
}

#[test]
fn check_expiration_tells_what_the_lists_say() {
    let place = made();
    on(&place, &["revoke", "etcd-peer", "--reason", "keyCompromise"]).ok();
    on(&place, &["hold", "etcd-server"]).ok();
    let check = |words: &[&str]| place.kpki(&[&["check-expiration", "d", "--at", DAY_1], words].concat());
    let found = check(&["-o", "json"]).status(4).json();
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(repository("schemas/check-expiration.schema.json")).unwrap()).unwrap();
    assert_eq!(schema::problems(&schema, &found), Vec::<String>::new());
    let item = |name: &str| {
        let all = found["certificates"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (item("etcd-peer")["state"].clone(), item("etcd-server")["state"].clone()),
        ("revoked".into(), "held".into())
    );
    assert_eq!(item("etcd-peer")["revocationReason"], "keyCompromise");
    assert_eq!(item("etcd-peer")["revocationDate"], DAY_1);
    assert!(check(&["-o", "nagios"]).status(2).stdout.starts_with("CERTIFICATES CRITICAL - 1 revoked, 1 held"));
    let metrics = check(&["-o", "prometheus"]).status(4).stdout;
    assert_eq!(metrics.lines().filter(|line| line.starts_with("x509_cert_revoked{")).count(), 2, "{metrics}");
    assert_eq!(check(&["--only", "revoked", "-o", "csv"]).status(4).stdout.lines().count(), 2);
    // Before its day nothing is revoked.
    place.kpki(&["check-expiration", "d", "--at", "2026-11-20T23:00:00Z", "-o", "json", "--only", "revoked"]).status(4);
    let earlier = place.kpki(&["check-expiration", "d", "--at", "2026-11-20T23:00:00Z", "-o", "json"]).json();
    assert_eq!(earlier["verdict"]["counts"]["revoked"], 0);
}

/// Two lists in either order, of every age, from files of any form.
#[test]
fn the_newest_list_that_can_decide_decides() {
    let place = made();
    let by = issuer(&place, "etcd/ca");
    let peer = certificate(&place, "d/pki/etcd/peer.crt");
    let hold = entry(&peer.serial, Some(Reason::CertificateHold));
    let gone = entry(&peer.serial, None);
    for (name, number, days, revoked) in [
        ("old", 1, 2, vec![hold]),
        ("new", 2, 1, vec![]),
        ("gone", 3, 1, vec![gone]),
        ("stale", 1, 40, vec![]),
        ("tomorrow", 9, -1, vec![]),
    ] {
        let list = list(number, AT - Duration::days(days), revoked, &by);
        place.write(&format!("{name}.crl"), list.to_pem());
        place.write(&format!("{name}.der"), &list.der);
    }
    for (lists, status, answer) in [
        (&["old.crl"][..], 4, "held"),
        (&["new.crl"], 0, "good"),
        (&["old.der", "new.crl"], 0, "good"),
        (&["new.der", "gone.crl"], 4, "revoked"),
        (&["old.der", "gone.crl", "new.crl"], 4, "revoked"),
        (&["stale.crl"], 3, "stale"),
        (&["stale.crl", "new.crl"], 0, "good"),
        (&["tomorrow.crl"], 1, "unknown"),
        (&["tomorrow.crl", "old.crl"], 4, "held"),
    ] {
        let mut words = vec!["crl", "check", "d/pki/etcd/peer.crt", "--ca", "d/pki/etcd/ca.crt", "-o", "json"];
        lists.iter().for_each(|list| words.extend(["--crl", *list]));
        let run = on(&place, &words).status(status).json();
        assert_eq!(run["answer"], answer, "{lists:?}: {run}");
        let mut words = vec!["crl", "check", "d/pki/etcd/peer.crt", "--ca", "d/pki/etcd/ca.crt", "-o", "json"];
        lists.iter().rev().for_each(|list| words.extend(["--crl", *list]));
        assert_eq!(on(&place, &words).status(status).json()["certificates"][0]["answer"], answer, "{lists:?} reversed");
    }
    // About to be stale is said, and no list at all is no answer.
    let words = ["crl", "check", "d/pki/etcd/peer.crt", "--ca", "d/pki/etcd/ca.crt", "--crl", "new.crl"];
    at(&place, "2026-12-15", &words).status(3);
    on(&place, &["crl", "check", "d/pki/etcd/peer.crt"]).status(1);
    on(&place, &["crl", "check", "d/pki/etcd/peer.crt", "--ca", "d/pki/ca.crt", "--crl", "new.crl"]).status(1);
    on(&place, &["crl", "check", "nobody"]).fails(2);
}

/// One run with a wrong clock does not keep a certificate from being revoked.
#[test]
fn a_list_of_the_future_has_a_next_issue_all_the_same() {
    let place = made();
    on(&place, &["crl", "update"]).ok();
    on(&place, &["hold", "etcd-server"]).ok();
    at(&place, "2031-11-21T00:00:00Z", &["crl", "update", "etcd-ca"]).ok();
    let path = "d/pki/etcd/ca.crl";
    let (future, held) = listed(&place, path);
    assert!(future.this_update > AT && held.len() == 1);
    place.write("future.crl", place.read(path));
    copy_tree(&place.path("d"), &place.path("future"));
    // Readers refuse it, so that a scheduled run mends it; what it names is revoked all the same.
    let run = on(&place, &["crl", "check", "etcd-server", "-o", "json"]).status(4).json();
    let states: Vec<&Value> = run["lists"].as_array().unwrap().iter().map(|list| &list["state"]).collect();
    assert_eq!((&run["answer"], states), (&"held".into(), vec![&"fresh".into(), &"unusable".into(), &"fresh".into()]));
    let number = |crl: &Crl| crl.edition().unwrap();
    for (words, entries) in [
        (&["crl", "update", "etcd-ca"][..], 1),
        (&["crl", "update", "--due"], 1),
        (&["renew", "all", "--due"], 1),
        (&["revoke", "etcd-peer"], 2),
        (&["release", "etcd-server"], 0),
    ] {
        let _ = fs::remove_dir_all(place.path("d"));
        copy_tree(&place.path("future"), &place.path("d"));
        on(&place, &[words, &["--dry-run"]].concat()).warns();
        let run = on(&place, &[words, &["-o", "json"]].concat()).warns();
        let said = "pki/etcd/ca.crl had the thisUpdate 2031-11-21T00:00:00Z, and now it is 2026-11-21T00:00:00Z";
        assert!(run.stderr.contains(said) && run.json().to_string().contains(said), "{words:?}: {}", run.stderr);
        let (next, all) = listed(&place, path);
        assert_eq!(
            (number(&next), next.this_update, all.len()),
            (number(&future).next().unwrap(), AT, entries),
            "{words:?}"
        );
        // The next one is nothing special.
        on(&place, &["crl", "update"]).ok();
        let words = ["crl", "check", "etcd-peer", "--ca", "d/pki/etcd/ca.crt", "--crl", "future.crl", "--crl", path];
        on(&place, &words).status(if entries == 2 { 4 } else { 0 });
    }
}

#[test]
fn a_bundle_is_asked_about_certificate_by_certificate() {
    let place = made();
    on(&place, &["crl", "update"]).ok();
    on(&place, &["revoke", "etcd-peer"]).ok();
    let bundle = ["server", "peer", "ca"].map(|name| place.read(&format!("d/pki/etcd/{name}.crt"))).concat();
    place.write("all.pem", bundle);
    let run = on(&place, &["crl", "check", "all.pem", "-o", "json"]).status(4).json();
    let answers: Vec<&Value> = run["certificates"].as_array().unwrap().iter().map(|one| &one["answer"]).collect();
    assert_eq!(answers, ["good", "revoked"]);
    let whole = on(&place, &["crl", "check", "-o", "json"]).status(4).json();
    assert!(whole["certificates"].as_array().unwrap().len() > 10);
    assert_eq!(whole["lists"].as_array().unwrap().len(), 3);
}

#[test]
fn shown_lists_are_documents_and_other_files_are_refused() {
    let place = made();
    on(&place, &["revoke", "etcd-peer", "--reason", "superseded"]).ok();
    let shown = place.kpki(&["crl", "show", "d/pki/etcd/ca.crl", "-o", "json"]).ok().json();
    assert_eq!(shown["revoked"][0]["reason"], "superseded");
    assert_eq!((shown["entries"].clone(), shown["crlNumber"].clone()), (1.into(), "1".into()));
    for file in ["d/pki/ca.crt", "p.yaml", "missing.crl"] {
        place.kpki(&["crl", "show", file]).fails(1);
    }
    let whole = fs::read(place.path("d/pki/etcd/ca.crl")).unwrap();
    for length in (0..whole.len()).step_by(17) {
        place.write("cut.crl", &whole[..length]);
        place.kpki(&["crl", "show", "cut.crl"]).fails(1);
    }
}

#[test]
fn every_kind_of_key_signs_a_list() {
    for algorithm in [Algorithm::Rsa2048, Algorithm::EcdsaP384] {
        let place = Place::new();
        place.write("p.yaml", single(&format!("encryptionAlgorithm: {}\n", algorithm.name())));
        place.init(&["-p", "p.yaml", "-d", "d"]).ok();
        on(&place, &["revoke", "etcd-peer"]).ok();
        on(&place, &["crl", "check", "etcd-peer"]).status(4);
        on(&place, &["crl", "check", "etcd-server"]).ok();
    }
}

/// A cluster directory whose nodes hold certificates of the profile's own beside kubeadm's: each copy of the list once.
#[test]
fn a_cluster_with_extra_certificates_gets_each_list_once() {
    let place = Place::new();
    let profile = super::harness::text("profiles/ha-load-balancer.yaml");
    place.init(&["--profile", &profile, "--dir", "cl"]).ok();
    place.kpki(&["revoke", "cp1/etcd-peer", "--dir", "cl", "--at", NOW]).ok();
    for node in ["", "nodes/cp1/", "nodes/cp2/", "nodes/cp3/"] {
        assert_eq!(place.read("cl/pki/etcd/ca.crl"), place.read(&format!("cl/{node}pki/etcd/ca.crl")), "{node}");
    }
    let run = place.kpki(&["renew", "all", "--due", "--dir", "cl", "--at", NOW]).ok();
    assert!(run.stdout.starts_with("renewed 1 of "), "{}", run.stdout);
}

/// An authority whose file cannot be used is not passed over.
#[test]
fn an_authority_that_cannot_be_used_is_no_reason_for_silence() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "d"]).ok();
    place.write("d/pki/front-proxy-ca.crt", "nothing");
    for words in [&["crl", "update"][..], &["crl", "update", "--due"]] {
        let run = place.kpki(&[words, &["--dir", "d", "--at", "2026-11-21T00:00:00Z"]].concat()).fails(1);
        assert!(run.stderr.contains("the authority front-proxy-ca cannot sign: "), "{}", run.stderr);
    }
    assert!(!place.path("d/pki/ca.crl").exists(), "nothing was written");
}

/// etcd reads ca.crl.der alone from 3.6 on: it has to be the CRL beside it.
#[test]
fn etcds_crl_in_der_is_compared_with_its_crl() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    let update = || place.kpki(&["crl", "update", "etcd-ca", "--dir", "t", "--at", NOW]).status(0);
    let check = || place.kpki(&["check-expiration", "t", "--at", NOW]);
    update();
    assert!(check().status(0).stderr.is_empty());
    let der = place.path("t/pki/etcd/ca.crl.der");
    let old = fs::read(&der).unwrap();
    update();
    for text in [old, fs::read(place.path("t/pki/etcd/ca.crl")).unwrap()] {
        fs::write(&der, text).unwrap();
        let run = check().status(4);
        assert!(run.stdout.contains("etcd-ca.crl.der"), "{}", run.stdout);
    }
    fs::write(&der, "").unwrap();
    check().status(4);
    fs::remove_file(&der).unwrap();
    let run = check().status(0);
    assert!(run.stderr.contains("ca.crl.der does not exist") && run.stderr.contains("--dir t"), "{}", run.stderr);
    update();
    assert!(check().status(0).stderr.is_empty());
}
