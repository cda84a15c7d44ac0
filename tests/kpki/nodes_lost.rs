//! What only a node still knows comes back to the safe host, and what the safe host has revoked reaches a node that signs itself.

use std::fs;

use serde_json::Value;

use super::harness::{NOW, Place, Run};
use super::receipt::{PROFILE, cluster, dir, receipt_at, ship};

const BETWEEN: &str = "2026-11-20T23:00:00Z";
const LATER: &str = "2026-11-21T22:00:00Z";
const LATEST: &str = "2026-11-21T23:00:00Z";

fn at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[words, &["--at", at]].concat())
}

fn merge(place: &Place, words: &[&str]) -> Run {
    at(place, LATER, &[&["nodes", "merge", "--dir", "c", "-o", "json"], words].concat())
}

fn unpack(place: &Place, node: &str, now: &str) -> Run {
    at(place, now, &["unpack", &format!("{node}.tar.gz"), "--dir", &dir(node), "--node", node])
}

/// Runs the command at the end of a line, as it was typed; an archive for another machine becomes a file.
fn typed(place: &Place, line: &str) -> Run {
    let (_, command) = line.rsplit_once(": kpki ").unwrap_or_else(|| panic!("no command in {line:?}"));
    let (command, there) = command.split_once(" | ssh ").unwrap_or((command, ""));
    let file = format!("{}.tar.gz", there.split(' ').next().unwrap_or_default());
    let words = command.split_whitespace().map(|word| if word == "-" { file.as_str() } else { word });
    at(place, LATEST, &words.collect::<Vec<_>>())
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// The number of a list, and the serial numbers that it has.
fn listed(place: &Place, path: &str) -> (String, usize) {
    let run = place.kpki(&["crl", "show", path, "-o", "json"]).status(0);
    let report = run.json();
    let list = report.get("crls").and_then(|lists| lists.get(0)).cloned().unwrap_or(report);
    let number = list["number"].as_str().or(list["crlNumber"].as_str()).unwrap().to_owned();
    (
        number,
        list["entries"]
            .as_array()
            .map_or_else(|| usize::try_from(list["entries"].as_u64().unwrap()).unwrap(), Vec::len),
    )
}

fn edited(place: &Place, from: &str, to: &str, edit: impl FnOnce(&mut Value)) {
    let mut receipt: Value = serde_json::from_str(&place.read(from)).unwrap();
    edit(&mut receipt);
    place.write(to, receipt.to_string());
}

/// One certificate is replaced after the backup, and the safe host is lost when the node has both list and certificate.
fn lost_and_restored() -> Place {
    let place = cluster();
    place.write("pass", "correct horse\n");
    at(&place, NOW, &["backup", "--dir", "c", "--out", "b.kpki", "--password-file", "pass"]).status(0);
    at(&place, NOW, &["revoke", "w1/metrics", "--dir", "c"]).status(0);
    at(&place, BETWEEN, &["renew", "w1/metrics", "--dir", "c"]).status(0);
    at(&place, BETWEEN, &["export", "w1", "--dir", "c", "--out", "w1.tar.gz"]).status(0);
    fs::create_dir_all(place.path(&dir("w1"))).unwrap();
    unpack(&place, "w1", BETWEEN).status(0);
    fs::remove_dir_all(place.path("c")).unwrap();
    place.kpki(&["backup", "restore", "b.kpki", "--dir", "c", "--password-file", "pass"]).status(0);
    receipt_at(&place, "w1", LATER, "w1.json").ok();
    place
}

#[test]
fn a_restored_safe_host_learns_what_only_a_node_knows() {
    let place = lost_and_restored();
    assert_eq!(listed(&place, &format!("{}/pki/ca.crl", dir("w1"))), ("1".to_owned(), 1));
    let report = merge(&place, &["w1.json"]).status(0).json();
    assert_eq!((&report["receipts"][0]["certificates"], &report["receipts"][0]["revocations"]), (&1.into(), &1.into()));
    assert_eq!(listed(&place, "c/pki/ca.crl"), ("2".to_owned(), 1));
    let lines = place.read("c/.kpki/journal.jsonl");
    let line = lines.lines().find(|line| line.contains("\"fingerprint\"") && line.contains("\"from\":\"w1\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&line["entry"], &line["command"]), (&"w1/metrics".into(), &"nodes-merge".into()));

    // Every node gets the list; what one has renewed is renewed here first.
    assert_eq!(texts(&report["ship"]), ["cp1", "cp2", "w1"]);
    let next = texts(&report["next"]);
    assert!(next.iter().any(|line| line.ends_with(": kpki renew w1/metrics --dir c")), "{next:?}");
    fs::remove_file(place.path("w1.tar.gz")).unwrap();
    for line in &next {
        typed(&place, line).status(0);
    }
    unpack(&place, "w1", LATEST).status(0);
    assert_eq!(listed(&place, &format!("{}/pki/ca.crl", dir("w1"))), ("2".to_owned(), 1));

    // The node's own certificate can be revoked.
    let serial = line["serial"].as_str().unwrap();
    let run =
        at(&place, LATEST, &["revoke", "--serial", serial, "--authority", "ca", "--dir", "c", "-o", "json"]).status(0);
    assert_eq!(run.json()["entries"][0]["name"], "w1/metrics");
    // Nothing of it is new.
    let again = merge(&place, &["w1.json"]).status(0).json();
    assert_eq!(again["receipts"][0]["certificates"], 0);
    assert!(again["lists"].as_array().unwrap().is_empty(), "{again}");
}

#[test]
fn only_what_an_authority_of_the_cluster_has_signed_is_believed() {
    let place = lost_and_restored();
    place.write("q.yaml", PROFILE);
    place.init(&["--profile", "q.yaml", "--dir", "other"]).ok();
    at(&place, NOW, &["crl", "update", "ca", "--dir", "other"]).status(0);
    let other =
        at(&place, NOW, &["export", "--verify", "w1", "--dir", "other/nodes/w1", "--receipt", "-o", "json"]).json();
    let find = |receipt: &Value, entry: &str| {
        receipt["entries"].as_array().unwrap().iter().position(|one| one["entry"] == entry).unwrap()
    };
    // A certificate of another cluster.
    edited(&place, "w1.json", "bad.json", |receipt| {
        let here = find(receipt, "kubelet.conf");
        receipt["entries"][here]["certificatesDer"] =
            other["entries"][find(&other, "kubelet.conf")]["certificatesDer"].clone();
    });
    // The node's own new one is.
    let report = merge(&place, &["bad.json", "--dry-run"]).status(0).json();
    assert_eq!(report["receipts"][0]["certificates"], 1);
    // A list of another cluster, and one that is not what its number says.
    edited(&place, "w1.json", "bad.json", |receipt| receipt["lists"][0] = other["lists"][0].clone());
    let run = merge(&place, &["bad.json"]).fails(1);
    assert!(run.stderr.contains("no authority of this cluster has signed it"), "{}", run.stderr);
    for (field, value, why) in [
        ("number", "7", "it is another one than its number and fingerprint say"),
        ("fingerprint", &*"ab".repeat(32), "it is another one than its number and fingerprint say"),
        ("crl", "MAA=", "its list /etc/kubernetes/pki/ca.crl of ca: "),
        ("crl", "*", "its list /etc/kubernetes/pki/ca.crl of ca: "),
    ] {
        edited(&place, "w1.json", "bad.json", |receipt| receipt["lists"][0][field] = value.into());
        let run = merge(&place, &["bad.json"]).fails(1);
        assert!(run.stderr.contains(why), "{field}: {}", run.stderr);
    }
}

#[test]
fn nothing_is_signed_over_a_list_that_is_not_known() {
    let place = lost_and_restored();
    // Of an earlier kpki, and one that is too large: there it is brought beside.
    let list = format!("{}/pki/ca.crl", dir("w1"));
    for too_large in [false, true] {
        edited(&place, "w1.json", "old.json", |receipt| {
            let list = receipt["lists"][0].as_object_mut().unwrap();
            list.remove("crl");
            list.insert("crlLeftOut".to_owned(), too_large.into());
        });
        let run = merge(&place, &["old.json", "--dry-run"]).status(5);
        let report = run.json();
        assert!(!run.wrote);
        assert_eq!((&report["lists"][0]["action"], &report["receipts"][0]["revocations"]), (&"left".into(), &0.into()));
        let next = report["next"][0].as_str().unwrap();
        let command = if too_large { "--crl w1-ca.crl --dir c" } else { "export --verify w1 --receipt -o json" };
        assert!(next.ends_with(command), "{next}");
    }
    merge(&place, &["old.json"]).status(5);
    assert!(!place.path("c/pki/ca.crl").exists());
    // The receipt is known, and its list is not.
    merge(&place, &["old.json"]).status(5);
    merge(&place, &["old.json", "--crl", "c/pki/ca.crt"]).fails(1);
    let report = merge(&place, &["old.json", "--crl", &list]).status(0).json();
    assert_eq!((&report["lists"][0]["action"], &report["lists"][0]["entries"]), (&"sign".into(), &1.into()));
    assert_eq!(listed(&place, "c/pki/ca.crl"), ("2".to_owned(), 1));
    merge(&place, &["old.json"]).status(0);
}

/// caKeys: control-plane. A node signs its own next list, and the safe host the one of the same number.
#[test]
fn what_node_and_safe_host_have_revoked_is_on_both() {
    let place = cluster();
    at(&place, NOW, &["crl", "update", "ca", "--dir", "c"]).status(0);
    at(&place, NOW, &["export", "cp1", "--dir", "c", "--out", "cp1.tar.gz"]).status(0);
    fs::create_dir_all(place.path(&dir("cp1"))).unwrap();
    unpack(&place, "cp1", NOW).status(0);
    let there = format!("{}/pki/ca.crl", dir("cp1"));
    at(&place, NOW, &["hold", "admin.conf", "--dir", &dir("cp1")]).status(0);
    at(&place, NOW, &["revoke", "w1/kubelet.conf", "--dir", "c"]).status(0);
    assert_eq!((listed(&place, &there), listed(&place, "c/pki/ca.crl")), (("2".into(), 1), ("2".into(), 1)));

    fs::remove_file(place.path("cp1.tar.gz")).unwrap();
    at(&place, LATER, &["export", "cp1", "--dir", "c", "--out", "cp1.tar.gz"]).status(0);
    let run = unpack(&place, "cp1", LATER).fails(1);
    let hints: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("hint: ")).collect();
    assert!(!run.stderr.contains("kpki renew") && hints.len() >= 3, "{}", run.stderr);
    let receipt = typed(&place, hints[0]).status(0);
    place.write("cp1.json", &receipt.stdout);
    let merged = typed(&place, &hints[1].replace("DIR", "c")).status(0);
    fs::remove_file(place.path("cp1.tar.gz")).unwrap();
    typed(&place, &hints[2].replace("DIR", "c")).status(0);
    unpack(&place, "cp1", LATEST).status(0);
    assert_eq!(listed(&place, &there), ("3".to_owned(), 2), "{}", merged.stdout);
}

#[test]
fn lists_are_verified_on_the_node() {
    let place = cluster();
    at(&place, NOW, &["crl", "update", "ca", "--dir", "c"]).status(0);
    let first = place.read("c/pki/ca.crl");
    at(&place, NOW, &["hold", "w1/kubelet.conf", "--dir", "c"]).status(0);
    ship(&place, "cp1", &[]);
    let there = dir("cp1");
    let here = format!("{there}/pki/ca.crl");
    let second = place.read(&here);
    // Another one of the same number, and a later issue.
    let copy = |to: &str| {
        let run = std::process::Command::new("cp").arg("-a").arg(place.path("c")).arg(place.path(to)).status();
        assert!(run.unwrap().success());
    };
    copy("d");
    at(&place, LATER, &["release", "w1/kubelet.conf", "--dir", "d"]).status(0);
    let third = place.read("d/pki/ca.crl");
    place.write("c/pki/ca.crl", &first);
    fs::write(place.path("c/.kpki/journal.jsonl"), "").unwrap();
    at(&place, LATER, &["hold", "cp2/admin.conf", "--dir", "c"]).status(0);
    let another = place.read("c/pki/ca.crl");
    place.write("q.yaml", PROFILE);
    place.init(&["--profile", "q.yaml", "--dir", "other"]).ok();
    for _ in 0..3 {
        at(&place, LATER, &["crl", "update", "ca", "--dir", "other"]).status(0);
    }
    let foreign = place.read("other/pki/ca.crl");
    for (list, outcome, state, status) in [
        (Some(&second), "right", "right", 0),
        (Some(&third), "right", "renewed", 0),
        (Some(&first), "older", "older", 4),
        (Some(&another), "mismatch", "mismatch", 4),
        (Some(&foreign), "mismatch", "mismatch", 4),
        (Some(&"no list\n".to_owned()), "mismatch", "mismatch", 4),
        (None, "missing", "missing", 4),
    ] {
        match list {
            Some(list) => fs::write(place.path(&here), list).unwrap(),
            None => fs::remove_file(place.path(&here)).unwrap(),
        }
        for against in [&["--verify", "cp1"][..], &["--verify", "cp1", "--archive", "cp1.tar"]] {
            let words = [&["export", "--dir", there.as_str(), "-o", "json"], against].concat();
            let report = at(&place, LATER, &words).status(status).json();
            let rows = report["entries"].as_array().unwrap();
            let row = rows.iter().find(|row| row["entry"] == "ca.crl").unwrap();
            assert_eq!((&report["outcome"], &row["state"]), (&outcome.into(), &state.into()), "{row}");
        }
    }
}
