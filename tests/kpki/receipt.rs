//! `kpki export --verify --receipt`, and what may be in a receipt that comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::export::unpack;
use super::harness::{NOW, Place, Run, copy_tree};

pub const PROFILE: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\ncontrolPlaneEndpoint: lb.example.com\n\
    encryptionAlgorithm: ECDSA-P256\ncaKeys: control-plane\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n\
    extraCertificates:\n- {name: metrics, commonName: metrics, usages: [client], nodes: [w1]}\n";

/// A cluster directory `c`.
pub fn cluster() -> Place {
    let place = Place::new();
    place.write("p.yaml", PROFILE);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

/// Packs a node and unpacks it as tar does, below a directory of its name.
pub fn ship(place: &Place, node: &str, words: &[&str]) {
    let out = format!("{node}.tar");
    let at = if words.contains(&"--at") { vec![] } else { vec!["--at", NOW] };
    let to = ["export", node, "--dir", "c", "--force", "--out", &out];
    place.kpki(&[&to, &*at, words].concat()).status(0);
    unpack(&place.path(&out), &place.path(node));
    for entry in walkdir::WalkDir::new(place.path(node)) {
        let path = entry.unwrap().into_path();
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Where a node's /etc/kubernetes is.
pub fn dir(node: &str) -> String {
    format!("{node}/etc/kubernetes")
}

/// A node's receipt at an instant, as FILE.
pub fn receipt_at(place: &Place, node: &str, at: &str, file: &str) -> Run {
    let run = place.kpki(&["export", "--verify", node, "--dir", &dir(node), "--receipt", "-o", "json", "--at", at]);
    place.write(file, &run.stdout);
    run
}

/// The lines of every private key below a directory.
fn secrets(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(root) {
        let path = entry.unwrap().into_path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let is_key = path.extension().is_some_and(|end| end == "key");
        let lines = text.lines().filter(|line| is_key || line.contains("client-key-data"));
        found.extend(lines.map(|line| line.trim().trim_start_matches("client-key-data: ").to_owned()));
    }
    found.retain(|line| line.len() >= 40 && !line.starts_with("---"));
    found
}

#[test]
fn a_receipt_shows_everything_that_is_there_and_no_secret() {
    let place = cluster();
    for node in ["cp1", "w1"] {
        ship(&place, node, &[]);
        let run = receipt_at(&place, node, NOW, "r.json").ok();
        let receipt = run.json();
        assert_eq!((&receipt["kind"], &receipt["node"]), (&"NodeReceipt".into(), &node.into()));
        assert_eq!((&receipt["clusterName"], &receipt["time"]), (&"prod".into(), &NOW.into()));
        let manifest: serde_json::Value =
            serde_json::from_str(&place.read(&format!("{}/kpki-node.json", dir(node)))).unwrap();
        assert_eq!(receipt["issue"], manifest["issue"]);
        let there: Vec<&str> =
            receipt["entries"].as_array().unwrap().iter().map(|one| one["entry"].as_str().unwrap()).collect();
        for one in manifest["entries"].as_array().unwrap() {
            let name = one["entry"].as_str().unwrap();
            let found =
                there.iter().position(|entry| *entry == name).unwrap_or_else(|| panic!("no {name} in {there:?}"));
            let found = &receipt["entries"][found];
            assert_eq!((&found["certificates"], &found["path"]), (&one["certificates"], &one["path"]), "{name}");
        }
        let secrets = secrets(&place.path(node));
        assert!(secrets.len() >= 2, "{secrets:?}");
        for secret in secrets {
            assert!(!run.stdout.contains(&secret[..40]), "a key is in the receipt");
        }
    }
    let table = place.kpki(&["export", "--verify", "w1", "--dir", &dir("w1"), "--receipt", "--at", NOW]).ok().stdout;
    assert!(table.starts_with(&format!("receipt of w1 of prod, {NOW}; unpacked: never by kpki\n")), "{table}");
    assert!(table.contains("\nkubelet ") && table.contains("metrics") && !table.contains("etcd"), "{table}");
    place.kpki(&["export", "w1", "--dir", "c", "--receipt", "--out", "x.tar"]).fails(2);
}

#[test]
fn what_does_not_fit_is_said_beside_the_receipt() {
    let place = cluster();
    ship(&place, "cp1", &[]);
    fs::remove_file(place.path(&dir("cp1")).join("pki/apiserver.key")).unwrap();
    let run = receipt_at(&place, "cp1", NOW, "r.json").status(4);
    assert_eq!(run.json()["kind"], "NodeReceipt");
    assert!(run.stderr.starts_with("mismatch: 1 of "), "{}", run.stderr);
}

#[test]
fn only_a_receipt_of_one_of_this_clusters_nodes_is_accepted_and_nothing_else_is_written() {
    let place = cluster();
    ship(&place, "cp1", &[]);
    receipt_at(&place, "cp1", NOW, "r.json").ok();
    let good = place.read("r.json");
    let ca = serde_json::from_str::<serde_json::Value>(&good).unwrap()["entries"][0]["certificates"][0].to_string();
    let merge = |file: &str| place.kpki(&["nodes", "merge", file, "--dir", "c", "--at", NOW]);
    const LINE: &str = r#"{"time":"2026-11-20T00:00:00Z","command":"renew","entry":"cp1/apiserver-etcd-client","serial":"45157f","fingerprint":"1d7b","subject":"CN=x","notBefore":"2026-11-20T00:00:00Z","notAfter":"2027-11-20T00:00:00Z","issuer":"CN=etcd-ca"}"#;
    for (from, to, why) in [
        ("\"prod\"", "\"test\"", "it is of the cluster test, not of prod"),
        ("\"node\": \"cp1\"", "\"node\": \"cp7\"", "the profile has no node cp7"),
        ("\"node\": \"cp1\"", "\"node\": \"../cp1\"", "node: expected a name"),
        ("\"node\": \"cp1\"", "\"node\": \"cp1\\u001b[2J\"", "node: expected a name"),
        (&*ca, &*format!("\"{}\"", "ab".repeat(32)), "its ca is not this cluster's"),
        ("NodeReceipt", "NodeManifest", "it is no receipt"),
        (NOW, "2026-11-20T23:00:00Z", "the clock there is wrong, or this one is"),
        (NOW, "+90d", "time: expected an instant in RFC 3339"),
        ("/etc/kubernetes/pki/ca.crt", "/etc/../../x", "path: expected an absolute path of plain names"),
        ("\"entry\": \"ca\"", "\"entry\": \"ca\\n\"", "entry: expected a line of text"),
        ("\"journal\": []", "\"journal\": [{}]", "it is no receipt"),
        ("kpki/v1", "kpki/v9", "it is no receipt"),
        ("\"node\": \"cp1\"", "\"node\": \"cp2\"", "was made for cp1, not for cp2"),
        (
            "\"journal\": []",
            &*format!("\"journal\": [{}]", LINE.replace("cp1/apiserver-etcd-client", "../../x")),
            "expected the name of an entry",
        ),
        ("}\n", "} x\n", "it is no receipt"),
    ] {
        assert!(good.contains(from), "{from}");
        place.write("bad.json", good.replacen(from, to, if from == "}\n" { usize::MAX } else { 1 }));
        let run = merge("bad.json").fails(1);
        assert!(run.stderr.contains(why), "{to}: {}", run.stderr);
        assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    }
    place.write("empty.json", "");
    place.write("large.json", format!("{{\"x\": \"{}\"}}", "a".repeat(9 << 20)));
    for file in ["empty.json", "large.json", "nothing.json"] {
        merge(file).fails(1);
    }
    // One that is wrong keeps the others from being written.
    let both = place.kpki(&["nodes", "merge", "r.json", "bad.json", "--dir", "c", "--at", NOW]).fails(1);
    assert!(both.stderr.contains("bad.json: "), "{}", both.stderr);
    place.kpki(&["nodes", "merge", "r.json", "r.json", "--dir", "c", "--at", NOW]).fails(1);
    assert!(merge("r.json").ok().wrote);
    assert!(!merge("r.json").ok().wrote, "the same receipt again");
    // By standard input, and an older one.
    let old = good.replace(NOW, "2026-11-20T21:00:00Z");
    let run = place.kpki_with(&["nodes", "merge", "-", "--dir", "c", "--at", NOW], old.as_bytes()).fails(1);
    assert!(run.stderr.contains("older than the last one of cp1"), "{}", run.stderr);
    let back = good.replace(NOW, "2026-11-20T22:01:00Z");
    let revision = serde_json::from_str::<serde_json::Value>(&good).unwrap()["issue"]["revision"].as_u64().unwrap();
    place.write("back.json", back.replace(&format!("\"revision\": {revision}"), "\"revision\": 1"));
    let run = merge("back.json").status(0);
    assert!(run.stderr.contains("cp1 has an older archive than before, of state 1 after"), "{}", run.stderr);
}

#[test]
fn a_receipt_is_merged_into_a_cluster_directory_only() {
    let place = cluster();
    ship(&place, "cp1", &[]);
    receipt_at(&place, "cp1", NOW, "r.json").ok();
    copy_tree(&place.path("c"), &place.path("copy"));
    place.kpki(&["nodes", "merge", "r.json", "--dir", &dir("cp1"), "--at", NOW]).fails(1);
    place.kpki(&["nodes", "--dir", &dir("cp1"), "--at", NOW]).fails(1);
    // What it does not use it does not take.
    for words in [["--node", "w1"], ["--kubelet-dir", "k"], ["--profile", "p.yaml"]] {
        place.kpki(&[&["nodes", "merge", "r.json", "--dir", "c", "--at", NOW], &words[..]].concat()).fails(2);
    }
}

#[test]
fn no_change_of_a_byte_makes_the_reader_panic_or_passes_what_steers_a_terminal() {
    use kpki::workspace::shipping::receipt::Receipt;
    let text = fs::read(super::harness::repository("fixtures/state/next/receipt.json")).unwrap();
    let mut accepted = 0;
    for at in (0..text.len()).step_by(7) {
        for byte in [0, b'"', b'\\', b'0', b'/', b'}', 0xff] {
            let mut changed = text.clone();
            changed[at] = byte;
            if let Ok(receipt) = Receipt::parse(&changed) {
                accepted += 1;
                assert!(!receipt.node.contains('/') && !receipt.node.is_empty(), "{at} {byte}");
            }
        }
        assert!(Receipt::parse(&text[..at.min(text.len() - 2)]).is_err(), "{at}");
    }
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn the_state_of_the_next_release_is_read_and_written_byte_for_byte() {
    use kpki::workspace::journal::Line;
    use kpki::workspace::shipping::nodes::Shipped;
    use kpki::workspace::shipping::receipt::Receipt;
    let read =
        |name: &str| fs::read_to_string(super::harness::repository(&format!("fixtures/state/next/{name}"))).unwrap();
    let receipt = read("receipt.json");
    assert_eq!(Receipt::parse(receipt.as_bytes()).unwrap().render().unwrap(), receipt);
    let shipped = read("shipped.json");
    let again: Shipped = serde_json::from_str(&shipped).unwrap();
    assert_eq!(serde_json::to_string_pretty(&again).unwrap() + "\n", shipped);
    let lines = read("journal-from-nodes.jsonl");
    assert!(lines.lines().count() >= 2);
    for line in lines.lines() {
        let parsed: Line = serde_json::from_str(line).unwrap();
        assert!(line.contains("\"from\":\"cp1\""), "{line}");
        assert_eq!(serde_json::to_string(&parsed).unwrap(), line);
    }
}
