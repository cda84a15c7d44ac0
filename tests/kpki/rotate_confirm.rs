//! `kpki rotate confirm`: by hand and by receipts, and what a receipt that was merged shows without it.

use serde_json::Value;

use super::harness::{Place, Run};
use super::receipt::{receipt_at, ship};
use super::rotate_gate::{BEGIN, cluster, lines, prepared, record, step};

const LATER: &str = "2026-11-20T22:30:00Z";
const HOUR: &str = "2026-11-20T23:00:00Z";

/// A receipt of a node with these states of its components, whatever runs where the test does.
fn receipt(place: &Place, node: &str, at: &str, states: &[(&str, &str)]) -> String {
    let file = format!("{node}.json");
    receipt_at(place, node, at, &file);
    let mut receipt: Value = serde_json::from_str(&place.read(&file)).unwrap();
    for one in receipt["components"].as_array_mut().unwrap() {
        let state = states.iter().find(|(name, _)| one["component"] == *name).map_or("yes", |(_, state)| state);
        (one["running"], one["rereads"]) = (state.into(), false.into());
    }
    place.write(&file, receipt.to_string());
    file
}

fn shipped(place: &Place, node: &str) {
    ship(place, node, &["--at", LATER]);
}

/// Node, authority, by.
fn rows(run: &Run) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = run.json()["nodes"].as_array().unwrap().clone();
    all.iter().map(|one| ["node", "authority", "by"].map(|field| text(&one[field])).join(" ")).collect()
}

#[test]
fn a_receipt_confirms_when_files_and_processes_have_the_phase() {
    let place = prepared(&["ca", "etcd-ca"]);
    shipped(&place, "cp1");
    for (states, said) in [
        (&[("etcd", "no")][..], "cp1: prepared is not in force for etcd-ca: etcd to restart: crictl stop"),
        (&[("kube-apiserver", "unknown")], "kube-apiserver to restart, unless that was done: crictl stop"),
        (&[("kube-controller-manager", "no")], "prepared is not in force for ca: kube-controller-manager to restart"),
    ] {
        let file = receipt(&place, "cp1", HOUR, states);
        let run = step(&place, "confirm", HOUR, &["--receipt", &file]).fails(1);
        assert!(run.stderr.contains(said), "{said}\n{}", run.stderr);
    }
    let file = receipt(&place, "cp1", HOUR, &[]);
    let dry = step(&place, "confirm", HOUR, &["cp1", "--receipt", &file, "--dry-run", "-o", "json"]).ok();
    assert!(!dry.wrote);
    let run = step(&place, "confirm", HOUR, &["cp1", "--receipt", &file, "-o", "json"]).ok();
    assert_eq!(rows(&run), ["cp1 ca receipt", "cp1 etcd-ca receipt"]);
    assert_eq!(rows(&dry), rows(&run));
    assert_eq!(record(&place)["rotations"][0]["confirmations"][0]["by"], "receipt");
    assert_eq!(lines(&place, "rotate-confirm").len(), 2);
    // Once more is nothing new.
    let again = step(&place, "confirm", HOUR, &["--receipt", &file]).ok();
    assert!(!again.wrote && again.stdout.starts_with("nothing new"), "{}", again.stdout);
}

#[test]
fn a_receipt_of_other_files_or_of_another_time_is_refused() {
    let place = prepared(&["ca"]);
    let missing = step(&place, "confirm", HOUR, &["cp9"]).fails(2);
    assert!(missing.stderr.contains("expected all, or some of cp1, cp2, lb1, w1"), "{}", missing.stderr);
    shipped(&place, "w1");
    let file = receipt(&place, "w1", HOUR, &[]);
    let text = place.read(&file);
    let change = |pointer: &str, value: Value| {
        let mut receipt: Value = serde_json::from_str(&text).unwrap();
        *receipt.pointer_mut(pointer).unwrap() = value;
        place.write(&file, receipt.to_string());
    };
    for (pointer, value, words, status, said) in [
        ("/clusterName", Value::from("other"), &[][..], 1, "is of the cluster other, not of prod"),
        (
            "/time",
            Value::from("2026-11-20T21:59:59Z"),
            &[],
            1,
            "the receipt of w1 is of 2026-11-20T21:59:59Z, and ca is prepared since",
        ),
        ("/node", Value::from("cp7"), &[], 2, "\"cp7\" holds nothing that is being rotated"),
        ("/time", Value::from(HOUR), &["cp1"], 2, "there is no receipt of cp1"),
        ("/entries", Value::Array(Vec::new()), &[], 1, "files that are not those of this directory: ca, kubelet.conf"),
    ] {
        change(pointer, value);
        let run = step(&place, "confirm", HOUR, &[words, &["--receipt", &file]].concat()).fails(status);
        assert!(run.stderr.contains(said), "{said}\n{}", run.stderr);
    }
    place.write(&file, "{}");
    step(&place, "confirm", HOUR, &["--receipt", &file]).fails(1);
    step(&place, "confirm", HOUR, &[]).fails(2);
    // A worker with the files of before.
    place.write(&file, &text);
    step(&place, "confirm", HOUR, &["--receipt", &file]).ok();
    let other = Place::new();
    other.write("p.yaml", super::harness::single(""));
    other.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let run = step(&other, "confirm", HOUR, &["all"]).fails(1);
    assert!(run.stderr.contains("nothing is being rotated"), "{}", run.stderr);
}

#[test]
fn a_merged_receipt_opens_the_gate_and_a_later_one_contradicts() {
    let place = prepared(&["etcd-ca"]);
    for node in ["cp1", "cp2"] {
        shipped(&place, node);
        let file = receipt(&place, node, LATER, &[]);
        place.kpki(&["nodes", "merge", &file, "--dir", "c", "--at", HOUR]).ok();
    }
    let run = step(&place, "status", HOUR, &["-o", "json"]).status(3);
    assert_eq!(run.json()["nodes"][0]["authorities"][0]["seenBy"], "receipt");
    assert_eq!(run.json()["authorities"][2]["waitsFor"], serde_json::json!([]));
    // Confirmed by hand, and then its receipt shows an etcd that still has what it read before.
    step(&place, "confirm", LATER, &["cp2"]).ok();
    let file = receipt(&place, "cp2", HOUR, &[("etcd", "no")]);
    place.kpki(&["nodes", "merge", &file, "--dir", "c", "--at", HOUR]).ok();
    let run = step(&place, "status", HOUR, &[]).status(4);
    let said =
        "cp2 was confirmed for etcd-ca, and its receipt of 2026-11-20T23:00:00Z shows otherwise: etcd to restart";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    let run = step(&place, "switch", HOUR, &[]).fails(1);
    assert!(run.stderr.contains("not known to be in force on cp2"), "{}", run.stderr);
    let run = step(&place, "next", HOUR, &[]).status(4);
    assert!(!run.wrote);
    let file = receipt(&place, "cp2", "2026-11-20T23:00:01Z", &[]);
    place.kpki(&["nodes", "merge", &file, "--dir", "c", "--at", "2026-11-20T23:00:01Z"]).ok();
    step(&place, "switch", "2026-11-20T23:00:01Z", &[]).ok();
    let by: Vec<Value> = record(&place)["rotations"][0]["confirmations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["by"].clone())
        .collect();
    assert!(by.contains(&"receipt".into()), "{by:?}");
}

/// Every key of sa.pub counts, not the first one alone.
#[test]
fn a_node_with_the_old_key_alone_does_not_confirm() {
    let place = cluster();
    ship(&place, "cp1", &[]);
    place.kpki(&["rotate", "prepare", "sa", "--dir", "c", "--at", BEGIN]).ok();
    let file = receipt(&place, "cp1", HOUR, &[]);
    let run = step(&place, "confirm", HOUR, &["--receipt", &file]).fails(1);
    assert!(run.stderr.contains("files that are not those of this directory: sa"), "{}", run.stderr);
    shipped(&place, "cp1");
    let file = receipt(&place, "cp1", HOUR, &[]);
    let keys = serde_json::from_str::<Value>(&place.read(&file)).unwrap();
    let sa = keys["entries"].as_array().unwrap().iter().find(|one| one["entry"] == "sa").unwrap().clone();
    assert_eq!(sa["publicKeys"].as_array().unwrap().len(), 2);
    step(&place, "confirm", HOUR, &["--receipt", &file]).ok();
}

/// A receipt of the phase before shows nothing of this one, although the files are the same again.
#[test]
fn a_receipt_of_before_the_phase_does_not_count() {
    let place = prepared(&["etcd-ca"]);
    let file = {
        shipped(&place, "cp1");
        receipt(&place, "cp1", BEGIN, &[])
    };
    let mut old: Value = serde_json::from_str(&place.read(&file)).unwrap();
    old["time"] = "2026-11-20T21:00:00Z".into();
    place.write(&file, old.to_string());
    place.kpki(&["nodes", "merge", &file, "--dir", "c", "--at", HOUR]).ok();
    let run = step(&place, "status", HOUR, &["-o", "json"]).status(3);
    assert_eq!(run.json()["nodes"][0]["inForce"], false);
}
