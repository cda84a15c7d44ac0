//! The journal: its chain by every verb that writes a line, and what `kpki history --issued` and `--revoked` list of it.

use kpki::x509::sha256;
use serde_json::Value;

use super::harness::{NOW, Place, Run, single};
use super::receipt;

const LATER: &str = "2026-11-21T22:00:00Z";
const LAST: &str = "2026-12-20T22:00:00Z";

fn place() -> Place {
    let place = Place::new();
    place.write("p.yaml", single("encryptionAlgorithm: ECDSA-P256\n"));
    place.init(&["--profile", "p.yaml", "--dir", "t"]).ok();
    place
}

/// Follows the chain without the code of the store. How many lines there are.
fn chained(place: &Place, dir: &str) -> usize {
    let text = place.read(&format!("{dir}/.kpki/journal.jsonl"));
    let mut before = "";
    for line in text.lines() {
        let digest: String = sha256(before.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let read: Value = serde_json::from_str(line).unwrap();
        assert_eq!(read["previous"], digest.as_str(), "{line}");
        before = line;
    }
    place.kpki(&["verify", dir, "--only", "journal", "--no-edges", "--at", LATER]).status(0);
    text.lines().count()
}

#[test]
fn every_verb_continues_the_chain() {
    let place = place();
    let mut lines = chained(&place, "t");
    assert!(lines > 10);
    let mut more = |words: &[&str], dir: &str| {
        let run = place.kpki(&[words, &["--dir", dir, "--at", LATER]].concat());
        assert!(run.status == 0, "{words:?}: {run:?}");
        let now = chained(&place, dir);
        assert!(now > lines, "{words:?}: {now} lines");
        lines = now;
    };
    more(&["renew", "apiserver", "admin.conf"], "t");
    more(&["restore"], "t");
    more(&["revoke", "etcd-peer"], "t");
    more(&["hold", "etcd-server"], "t");
    more(&["release", "etcd-server"], "t");
    more(&["crl", "update"], "t");
    more(&["kubeconfig", "user", "jane", "--out", "jane.conf"], "t");
    more(&["rotate", "prepare", "front-proxy-ca"], "t");
    more(&["renew", "ca"], "t");
}

#[test]
fn a_journal_of_an_older_kpki_is_chained_from_the_next_line_on() {
    let place = place();
    let text = place.read("t/.kpki/journal.jsonl");
    let old: String = text.lines().map(|line| line.split(",\"previous\"").next().unwrap().to_owned() + "}\n").collect();
    place.write("t/.kpki/journal.jsonl", &old);
    let judged =
        || place.kpki(&["verify", "t", "--only", "journal/chain,journal/unchained", "--no-edges", "--at", LATER]);
    judged().status(0);
    place.kpki(&["renew", "apiserver", "--dir", "t", "--at", LATER]).ok();
    judged().status(0);
    let new = place.read("t/.kpki/journal.jsonl");
    assert!(new.starts_with(&old) && new.lines().last().unwrap().contains("\"previous\""), "{new}");
    // Any of the old lines is covered by it.
    place.write("t/.kpki/journal.jsonl", new.replacen("\"command\":\"init\"", "\"command\":\"sign\"", 1));
    judged().status(3);
}

#[test]
fn lines_that_a_node_brings_get_this_journals_chain() {
    let place = receipt::cluster();
    receipt::ship(&place, "cp1", &[]);
    let node = receipt::dir("cp1");
    place.kpki(&["renew", "apiserver", "--dir", &node, "--at", LATER]);
    receipt::receipt_at(&place, "cp1", LATER, "cp1.json");
    let before = chained(&place, "c");
    place.kpki(&["nodes", "merge", "cp1.json", "--dir", "c", "--at", LATER]);
    let text = place.read("c/.kpki/journal.jsonl");
    assert!(chained(&place, "c") > before && text.contains("\"from\":\"cp1\""), "{text}");
    let issued = place.kpki(&["history", "--issued", "--dir", "c", "--at", LATER, "-o", "json"]).ok().json();
    assert_eq!(issued["trees"][0]["rows"][0]["toldBy"], "cp1", "{issued}");
}

fn rows(run: &Run) -> Vec<String> {
    let document = run.json();
    let trees = document["trees"].as_array().unwrap().clone();
    let row = |row: &Value| format!("{} {}", row["command"].as_str().unwrap(), row["entry"].as_str().unwrap());
    trees.iter().flat_map(|tree| tree["rows"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()).collect()
}

#[test]
fn what_was_issued_and_what_was_revoked_since() {
    let place = place();
    place.kpki(&["renew", "apiserver", "--dir", "t", "--at", LATER]).ok();
    place.kpki(&["revoke", "etcd-peer", "--dir", "t", "--at", LATER]).ok();
    let list = |words: &[&str]| place.kpki(&[&["history", "--dir", "t", "--at", LAST], words].concat());
    // 29 days ago, and 30 days.
    let near = list(&["--issued", "--since", "29d", "-o", "json"]).ok();
    assert_eq!(rows(&near), ["renew apiserver"]);
    let document = near.json();
    assert_eq!(document["kind"], "IssuedReport");
    assert_eq!((&document["counts"][0]["command"], &document["counts"][0]["count"]), (&"renew".into(), &1.into()));
    let row = &document["trees"][0]["rows"][0];
    assert_eq!((&row["time"], &row["expires"]), (&LATER.into(), &"2027-11-21T22:00:00Z".into()), "{row}");
    assert_eq!(row["subject"], "CN=kube-apiserver");
    let all = list(&["--issued", "-o", "json"]).ok();
    assert!(rows(&all).len() > 10 && rows(&all)[0] == "renew apiserver", "{all:?}");
    assert_eq!(rows(&list(&["--revoked", "-o", "json"]).ok()), ["revoke etcd-peer"]);
    let csv = list(&["--issued", "--since", "29d", "-o", "csv"]).ok().stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("directory,time,command,entry,subject,serial,expires,"), "{csv}");
    assert!(
        lines.len() == 2 && lines[1].starts_with("t,2026-11-21T22:00:00Z,renew,apiserver,CN=kube-apiserver,"),
        "{csv}"
    );
    let table = list(&["--issued"]).ok().stdout;
    assert!(table.lines().all(|line| line.len() <= 80), "{table}");
    let none = list(&["--issued", "--since", "1d"]).ok().stdout;
    assert_eq!(none, "0 certificates since 2026-12-19T22:00:00Z\n");
}

#[test]
fn what_cannot_be_read_is_said_and_counted() {
    let place = place();
    let text = place.read("t/.kpki/journal.jsonl");
    place.write("t/.kpki/journal.jsonl", format!("{text}torn\n"));
    let number = text.lines().count() + 1;
    for form in ["table", "csv"] {
        let run = place.kpki(&["history", "--issued", "--dir", "t", "--at", LATER, "-o", form]).status(5);
        let said = format!("t/.kpki/journal.jsonl: line {number}: expected a line of kpki, found another text");
        let found = if form == "csv" { &run.stderr } else { &run.stdout };
        assert!(found.contains(&said), "{run:?}");
    }
    place.kpki(&["history", "--issued", "--dir", "nowhere"]).status(1);
    for words in [&["--profiles", "."][..], &["-o", "csv"], &["--issued", "--revoked"]] {
        place.kpki(&[&["history"], words].concat()).status(2);
    }
}

#[test]
fn a_fleet_is_listed_cluster_by_cluster() {
    let place = Place::new();
    for name in ["a", "b"] {
        place.write(&format!("fleet/{name}.yaml"), single("encryptionAlgorithm: ECDSA-P256\n"));
        let (profile, dir) = (format!("fleet/{name}.yaml"), format!("fleet/{name}"));
        place.init(&["--profile", &profile, "--dir", &dir]).ok();
    }
    let list = |form: &str| place.kpki(&["history", "--issued", "--profiles", "fleet", "--at", NOW, "-o", form]);
    let (first, run) = (place.read("fleet/a/.kpki/journal.jsonl").lines().count(), list("json").ok());
    assert_eq!(rows(&run).len(), 2 * first);
    let document = run.json();
    let directories = ["fleet/a", "fleet/b"].map(Value::from);
    assert_eq!([0, 1].map(|at| document["trees"][at]["directory"].clone()), directories);
    assert_eq!(document["counts"][0]["count"], 2 * first);
    let table = list("table").ok().stdout;
    assert!(table.contains(&format!("fleet/b: {first} certificates")), "{table}");
    // A profile whose tree was never made has no journal to read.
    place.write("fleet/c.yaml", single(""));
    let run = list("table").status(5);
    assert!(run.stdout.contains("not read: fleet/c: expected a tree, found none"), "{run:?}");
}
