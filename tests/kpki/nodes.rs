//! `kpki nodes` and `kpki nodes merge`, and what `kpki export` makes of what they know.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kpki::encoding::pem;
use kpki::x509::{Crl, parse_pem_bundle};
use serde_json::Value;

use super::harness::{NOW, Place, Run, copy_tree};
use super::receipt::{PROFILE, cluster, dir, receipt_at, ship};

const LATER: &str = "2026-11-21T22:00:00Z";
const NODES: [&str; 3] = ["cp1", "cp2", "w1"];

fn nodes(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["nodes", "--dir", "c", "--at", LATER, "-o", "json"], words].concat())
}

fn merge(place: &Place, words: &[&str]) -> Run {
    place.kpki(&[&["nodes", "merge", "--dir", "c", "--at", LATER, "-o", "json"], words].concat())
}

/// Of each node: shipped, confirmed, standing.
fn states(run: &Run) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = run.json()["nodes"].as_array().unwrap().clone();
    all.iter()
        .map(|one| ["node", "shipped", "confirmed", "standing"].map(|field| text(&one[field])).join(" "))
        .collect()
}

/// A receipt that says this of every component, whatever runs where the test does.
fn running(place: &Place, file: &str, state: &str) {
    let mut receipt: Value = serde_json::from_str(&place.read(file)).unwrap();
    for one in receipt["components"].as_array_mut().unwrap() {
        one["running"] = state.into();
    }
    place.write(file, receipt.to_string());
}

#[test]
fn nodes_wait_until_they_have_confirmed_and_run_with_what_they_have() {
    let place = cluster();
    let run = nodes(&place, &[]).status(3);
    assert!(!run.wrote);
    assert_eq!(states(&run), ["cp1 never none waiting", "cp2 never none waiting", "w1 never none waiting"]);
    for node in NODES {
        ship(&place, node, &[]);
        receipt_at(&place, node, NOW, &format!("{node}.json")).ok();
        running(&place, &format!("{node}.json"), "unknown");
    }
    assert_eq!(states(&nodes(&place, &[]).status(3))[0], "cp1 current none waiting");
    let files = ["cp1.json", "cp2.json", "w1.json"];
    merge(&place, &files).ok();
    // No process of theirs is visible: that is not yes.
    let run = nodes(&place, &[]).status(3);
    assert_eq!(states(&run)[0], "cp1 current current waiting");
    assert_eq!(run.json()["nodes"][0]["components"][0]["running"], "unknown");
    for node in NODES {
        receipt_at(&place, node, LATER, &format!("{node}.json")).ok();
        running(&place, &format!("{node}.json"), "yes");
    }
    // As if they were merged.
    let words = ["--receipt", "cp1.json", "--receipt", "cp2.json", "--receipt", "w1.json"];
    nodes(&place, &words).status(0);
    nodes(&place, &[]).status(3);
    merge(&place, &files).ok();
    let run = nodes(&place, &[]).status(0);
    assert_eq!(states(&run), ["cp1 current current done", "cp2 current current done", "w1 current current done"]);

    // One that is old, and reads its files once.
    let mut receipt: Value = serde_json::from_str(&place.read("cp1.json")).unwrap();
    receipt["time"] = "2026-11-21T22:01:00Z".into();
    receipt["components"][0]["running"] = "no".into();
    place.write("cp1.json", receipt.to_string());
    let run = nodes(&place, &["--receipt", "cp1.json"]).status(3);
    assert_eq!(run.json()["nodes"][0]["components"][0]["current"], false);
    merge(&place, &["cp1.json"]).ok();
    let next = nodes(&place, &[]).status(3).json()["nodes"][0]["next"].to_string();
    assert!(next.contains("on the node, restart etcd: crictl stop"), "{next}");
    receipt["time"] = "2026-11-21T22:02:00Z".into();
    receipt["components"][0]["rereads"] = true.into();
    place.write("cp1.json", receipt.to_string());
    merge(&place, &["cp1.json"]).ok();
    nodes(&place, &[]).status(0);

    // The safe host goes on.
    place.kpki(&["renew", "cp1/apiserver", "--dir", "c", "--at", LATER]).status(0);
    let run = nodes(&place, &[]).status(3);
    assert_eq!(states(&run)[0], "cp1 older older waiting");
    assert_eq!(run.json()["nodes"][0]["differing"].to_string(), "[\"apiserver\"]");

    // A node that the profile does not have.
    fs::create_dir(place.path("c/nodes/cp9")).unwrap();
    assert_eq!(states(&nodes(&place, &[]).status(3))[3], "cp9 never none removed");
}

/// Each control-plane node revokes its own client of etcd and makes a new one.
fn signed_on_nodes(place: &Place) {
    for node in ["cp1", "cp2"] {
        ship(place, node, &[]);
        let dir = dir(node);
        let run = place.kpki(&["revoke", "apiserver-etcd-client", "--dir", &dir, "--at", NOW]).status(0);
        assert!(run.stderr.contains("only the list of this node was changed"), "{}", run.stderr);
        assert!(
            run.stderr.contains(&format!(": kpki export --verify --receipt -o json --dir {dir}\n")),
            "{}",
            run.stderr
        );
        place.kpki(&["renew", "apiserver-etcd-client", "--dir", &dir, "--at", "2026-11-20T23:00:00Z"]).status(0);
        receipt_at(place, node, LATER, &format!("{node}.json")).ok();
    }
}

#[test]
fn what_nodes_have_issued_and_revoked_comes_back() {
    let place = cluster();
    signed_on_nodes(&place);
    let run = nodes(&place, &["--receipt", "cp1.json", "--receipt", "cp2.json"]).status(4);
    let findings = run.json()["nodes"][1]["findings"].to_string();
    assert!(findings.contains("two lists of etcd-ca go apart: here none, on the node 1 (SHA-256 "), "{findings}");
    assert_eq!(states(&run)[0], "cp1 current renewed contradicts");
    let before = place.files();
    let dry = merge(&place, &["cp1.json", "cp2.json", "--dry-run"]).status(0);
    assert!(place.files() == before && dry.json()["lists"][0]["action"] == "sign");

    let run = merge(&place, &["cp1.json", "cp2.json"]).status(0);
    let report = run.json();
    assert_eq!(report["receipts"][0]["certificates"], 1);
    assert_eq!(report["receipts"][1]["revocations"], 1);
    assert_eq!((&report["lists"][0]["crlNumber"], &report["lists"][0]["entries"]), (&"2".into(), &2.into()));
    assert_eq!(report["ship"].to_string(), "[\"cp1\",\"cp2\"]");
    let lines: Vec<String> = place.read("c/.kpki/journal.jsonl").lines().map(str::to_owned).collect();
    let of = |node: &str| lines.iter().filter(|line| line.contains(&format!("\"from\":\"{node}\""))).count();
    assert_eq!((of("cp1"), of("cp2")), (2, 2));
    // Every copy of the list is the new one.
    let list = place.read("c/pki/etcd/ca.crl");
    for node in ["cp1", "cp2"] {
        assert_eq!(place.read(&format!("c/nodes/{node}/pki/etcd/ca.crl")), list);
    }
    let run = nodes(&place, &[]).status(3);
    assert_eq!(run.json()["nodes"][0]["lists"][0]["state"], "older");
    // Again: nothing.
    let again = merge(&place, &["cp1.json", "cp2.json"]).ok();
    assert!(!again.wrote && again.json()["lists"].as_array().unwrap().is_empty(), "{}", again.stdout);

    // What cp1 has issued is known by its number now.
    let line = lines.iter().find(|line| line.contains("\"command\":\"renew\"") && line.contains("cp1")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["entry"], "cp1/apiserver-etcd-client");
    let serial = line["serial"].as_str().unwrap();
    let run = place.kpki(&[
        "revoke",
        "--serial",
        serial,
        "--authority",
        "etcd-ca",
        "--dir",
        "c",
        "--at",
        LATER,
        "-o",
        "json",
    ]);
    assert_eq!(run.status(0).json()["entries"][0]["name"], "cp1/apiserver-etcd-client");
}

#[test]
fn all_of_a_node_is_what_it_has_issued_and_what_was_replaced_too() {
    let place = cluster();
    place.kpki(&["renew", "cp1/scheduler.conf", "--dir", "c", "--at", NOW]).status(0);
    ship(&place, "cp1", &[]);
    let run = place.kpki(&["renew", "scheduler.conf", "--dir", &dir("cp1"), "--at", LATER]).status(0);
    assert!(run.wrote);
    receipt_at(&place, "cp1", LATER, "cp1.json").ok();
    merge(&place, &["cp1.json"]).status(0);
    let serials: Vec<String> = place
        .read("c/.kpki/journal.jsonl")
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|line| line["entry"] == "cp1/scheduler.conf")
        .map(|line| line["serial"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(serials.len(), 3);
    let revoke = |at: &str| place.kpki(&["revoke", "cp1/all", "--dir", "c", "--at", at, "-o", "json"]).status(0).json();
    let report = revoke(LATER);
    let revoked: Vec<&Value> =
        report["entries"].as_array().unwrap().iter().filter(|one| one["name"] == "cp1/scheduler.conf").collect();
    assert_eq!(revoked.len(), 3, "{report}");
    assert!(serials.iter().all(|serial| revoked.iter().any(|one| one["serial"] == **serial)), "{report}");
    assert!(revoked.iter().all(|one| one["action"] == "revoke"), "{report}");
    // What has expired is not revoked.
    let report =
        place.kpki(&["hold", "cp1/all", "--dir", "c", "--at", "2036-01-01T00:00:00Z", "--dry-run", "-o", "json"]);
    let report = report.status(0).json();
    let names = report["entries"].as_array().unwrap().iter().filter(|one| one["name"] == "cp1/scheduler.conf");
    assert_eq!(names.count(), 1, "{report}");
}

#[test]
fn holds_and_releases_of_nodes_are_brought_together() {
    let place = cluster();
    place.kpki(&["hold", "cp1/etcd-peer", "cp2/etcd-peer", "--dir", "c", "--at", NOW]).status(0);
    ship(&place, "cp1", &[]);
    let dir = dir("cp1");
    place.kpki(&["release", "etcd-peer", "--dir", &dir, "--at", "2026-11-20T23:00:00Z"]).status(0);
    place.kpki(&["hold", "etcd-server", "--dir", &dir, "--at", "2026-11-20T23:00:00Z"]).status(0);
    receipt_at(&place, "cp1", LATER, "cp1.json").ok();
    let report = merge(&place, &["cp1.json"]).status(0).json();
    // cp1/etcd-peer is gone, cp2/etcd-peer stays, cp1/etcd-server is new.
    assert_eq!((&report["lists"][0]["entries"], &report["receipts"][0]["revocations"]), (&2.into(), &2.into()));
    place.kpki(&["release", "cp1/etcd-server", "--dir", "c", "--at", LATER]).status(0);
    // The same lines again do not hold it again.
    receipt_at(&place, "cp1", "2026-11-21T22:01:00Z", "cp1.json").ok();
    let report = merge(&place, &["cp1.json"]).status(0).json();
    assert!(report["lists"].as_array().unwrap().is_empty(), "{report}");
}

/// The safe host is lost, and what comes back is from before a revocation that a worker has got: the list there is its
/// authority's word, though the worker signs nothing.
#[test]
fn a_list_that_only_a_node_still_has_comes_back() {
    let place = cluster();
    place.kpki(&["hold", "cp1/etcd-peer", "--dir", "c", "--at", NOW]).status(0);
    let before = place.path("before");
    assert!(std::process::Command::new("cp").arg("-a").arg(place.path("c")).arg(&before).status().unwrap().success());
    place.kpki(&["revoke", "w1/kubelet-serving", "--dir", "c", "--at", NOW]).status(0);
    place.kpki(&["hold", "cp1/admin.conf", "--dir", "c", "--at", NOW]).status(0);
    let lost = place.read("c/pki/ca.crl");
    ship(&place, "w1", &[]);
    receipt_at(&place, "w1", LATER, "w1.json").ok();
    fs::remove_dir_all(place.path("c")).unwrap();
    fs::rename(&before, place.path("c")).unwrap();
    let report = merge(&place, &["w1.json"]).status(0).json();
    assert_eq!(
        (&report["lists"][0]["crlNumber"], &report["lists"][0]["entries"]),
        (&"3".into(), &2.into()),
        "{report}"
    );
    assert_eq!(report["receipts"][0]["revocations"], 2);
    assert!(place.read("c/pki/ca.crl") != lost);
    place.kpki(&["crl", "check", "w1/kubelet-serving", "--dir", "c", "--at", LATER]).status(4);
    // The hold is one still.
    place.kpki(&["release", "cp1/admin.conf", "--dir", "c", "--at", LATER]).status(0);
    assert!(merge(&place, &["w1.json"]).ok().json()["lists"].as_array().unwrap().is_empty());
}

#[test]
fn two_lists_of_one_number_are_a_contradiction_until_they_are_merged() {
    let place = cluster();
    signed_on_nodes(&place);
    place.kpki(&["revoke", "cp1/etcd-peer", "--dir", "c", "--at", NOW]).status(0);
    let run = nodes(&place, &["--receipt", "cp2.json"]).status(4);
    assert_eq!(run.json()["nodes"][1]["lists"][0]["state"], "diverging");
    merge(&place, &["cp2.json"]).status(0);
    let run = nodes(&place, &[]).status(3);
    assert_eq!(run.json()["nodes"][1]["lists"][0]["state"], "older");
    ship(&place, "cp2", &["--older"]);
    receipt_at(&place, "cp2", "2026-11-21T22:01:00Z", "cp2.json").ok();
    merge(&place, &["cp2.json"]).status(0);
    assert_eq!(nodes(&place, &[]).json()["nodes"][1]["lists"][0]["state"], "same");
}

#[test]
fn a_node_that_signs_nothing_has_issued_and_released_nothing() {
    let place = cluster();
    signed_on_nodes(&place);
    ship(&place, "w1", &[]);
    receipt_at(&place, "w1", LATER, "w1.json").ok();
    let mut receipt: Value = serde_json::from_str(&place.read("w1.json")).unwrap();
    let other: Value = serde_json::from_str(&place.read("cp1.json")).unwrap();
    assert!(other["journal"].as_array().unwrap().len() >= 2);
    receipt["journal"] = other["journal"].clone();
    place.write("w1.json", receipt.to_string());
    let run = merge(&place, &["w1.json"]).status(0);
    assert!(run.stderr.contains("w1 has no key of an authority by the profile"), "{}", run.stderr);
    assert!(run.json()["lists"].as_array().unwrap().is_empty());
    assert!(!place.read("c/.kpki/journal.jsonl").contains("\"from\""));
}

#[test]
fn without_the_key_the_list_is_left_and_everything_else_is_merged() {
    let place = cluster();
    signed_on_nodes(&place);
    fs::rename(place.path("c/pki/etcd/ca.key"), place.path("key")).unwrap();
    let run = merge(&place, &["cp1.json"]).status(5);
    let report = run.json();
    assert_eq!((&report["lists"][0]["action"], &report["receipts"][0]["certificates"]), (&"left".into(), &1.into()));
    nodes(&place, &[]).status(4);
    // Where the key is, the same receipt completes it.
    fs::rename(place.path("key"), place.path("c/pki/etcd/ca.key")).unwrap();
    let run = merge(&place, &["cp1.json"]).status(0);
    assert_eq!(run.json()["lists"][0]["action"], "sign");
    nodes(&place, &[]).status(3);
}

#[test]
fn lists_are_merged_with_a_key_that_is_elsewhere() {
    let place = cluster();
    signed_on_nodes(&place);
    for (name, text) in [("pass", "correct horse\n"), ("bad", "wrong\n")] {
        place.write(name, text);
        fs::set_permissions(place.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let lock = ["convert", "c/pki/etcd/ca.key", "--to", "pkcs8-encrypted", "--out-password-file", "pass"];
    place.kpki(&[&lock[..], &["--out", "locked.key"]].concat()).ok();
    fs::remove_file(place.path("c/pki/etcd/ca.key")).unwrap();
    let given = format!("etcd-ca={}", place.path("locked.key").display());
    let with = |pass: &str| merge(&place, &["cp1.json", "--authority-key", &given, "--key-passphrase-file", pass]);
    // One that does not open leaves the list, and nothing else.
    let report = with("bad").status(5).json();
    assert_eq!((&report["lists"][0]["action"], &report["receipts"][0]["certificates"]), (&"left".into(), &1.into()));
    let report = with("pass").status(0).json();
    assert_eq!(report["lists"][0]["action"], "sign");
    let block = pem::read(place.read("c/pki/etcd/ca.crl").as_bytes()).unwrap().remove(0);
    let authority = parse_pem_bundle(place.read("c/pki/etcd/ca.crt").as_bytes()).unwrap().remove(0);
    let list = Crl::parse(&block.contents).unwrap();
    list.signed_by(&block.contents, &authority).unwrap();
    assert_eq!(list.entries, 1);
    nodes(&place, &[]).status(3);
    assert!(!place.path("c/pki/etcd/ca.key").exists());
}

#[test]
fn an_export_does_not_go_back_behind_the_last_receipt() {
    let place = cluster();
    signed_on_nodes(&place);
    let export = |words: &[&str]| {
        place.kpki(&[&["export", "cp1", "--dir", "c", "--at", LATER, "--force", "--out", "x.tar"], words].concat())
    };
    export(&[]).status(0);
    merge(&place, &["cp1.json"]).status(0);
    let run = export(&[]).fails(1);
    assert!(run.stderr.contains("apiserver-etcd-client: there it was renewed later than here"), "{}", run.stderr);
    export(&["--older"]).status(0);
    place.kpki(&["renew", "cp1/apiserver-etcd-client", "--dir", "c", "--at", LATER]).status(0);
    export(&[]).status(0);
    assert_eq!(states(&nodes(&place, &[]))[0], "cp1 current older waiting");

    // A node that was packed from a later state than this directory has.
    let mut receipt: Value = serde_json::from_str(&place.read("cp1.json")).unwrap();
    receipt["issue"]["revision"] = 9999.into();
    receipt["time"] = "2026-11-21T22:01:00Z".into();
    place.write("cp1.json", receipt.to_string());
    let run = nodes(&place, &["--receipt", "cp1.json"]).status(4);
    assert!(run.stdout.contains("this is an older copy"), "{}", run.stdout);
    let run = merge(&place, &["cp1.json"]).status(0);
    assert!(
        run.stderr.contains("this directory is an older copy than what cp1 was given: that was state 9999"),
        "{}",
        run.stderr
    );
    assert!(!merge(&place, &["cp1.json"]).status(0).wrote);
    // What is packed now is newer than what it had.
    export(&[]).status(0);
    assert!(place.read("c/.kpki/nodes/shipped/cp1.json").contains("\"revision\": 10000"));
    nodes(&place, &[]).status(3);
    // A number that no copy can be behind is no node's, and locks nobody out.
    receipt["issue"]["revision"] = u64::MAX.into();
    place.write("cp1.json", receipt.to_string());
    let run = merge(&place, &["cp1.json"]).fails(1);
    assert!(run.stderr.contains("no older copy lacks so many"), "{}", run.stderr);
    // The node went back by itself: that is said, and shown from now on.
    receipt["issue"]["revision"] = 7.into();
    receipt["time"] = "2026-11-21T22:02:00Z".into();
    place.write("cp1.json", receipt.to_string());
    let run = merge(&place, &["cp1.json"]).status(0);
    assert!(run.stderr.contains("cp1 has an older archive than before, of state 7 after 9999"), "{}", run.stderr);
    export(&[]).status(0);
}

/// The safe host was lost and came back from its backup; the nodes have later states.
#[test]
fn a_safe_host_that_came_back_goes_on_above_its_nodes() {
    let place = cluster();
    copy_tree(&place.path("c"), &place.path("backup"));
    const BETWEEN: &str = "2026-11-20T23:00:00Z";
    place.kpki(&["renew", "all", "--dir", "c", "--at", BETWEEN]).status(0);
    ship(&place, "cp1", &["--at", BETWEEN]);
    fs::rename(place.path("c"), place.path("lost")).unwrap();
    fs::rename(place.path("backup"), place.path("c")).unwrap();
    receipt_at(&place, "cp1", LATER, "cp1.json").ok();
    let run = merge(&place, &["cp1.json"]).status(0);
    assert!(run.stderr.contains("this directory is an older copy"), "{}", run.stderr);
    let row = nodes(&place, &[]).status(3).json()["nodes"][0].clone();
    assert_eq!(row["confirmed"], "renewed", "{row}");
    // What the node has is newer: it is renewed here, and then packed and unpacked, and its receipt is accepted.
    place.kpki(&["renew", "all", "--dir", "c", "--at", LATER]).status(0);
    ship(&place, "cp1", &["--at", "2026-11-21T22:05:00Z"]);
    receipt_at(&place, "cp1", "2026-11-21T22:06:00Z", "cp1.json").ok();
    let run = place.kpki(&["nodes", "merge", "cp1.json", "--dir", "c", "--at", "2026-11-21T22:06:00Z"]).status(0);
    assert!(!run.stderr.contains("older"), "{}", run.stderr);
    assert_eq!(states(&nodes(&place, &[]).status(3))[0], "cp1 current current waiting");
}

const UNPACK: &str = "kpki export cp1 --dir c --out - | ssh cp1 kpki unpack -";

/// cp1's row, after something was done to its files and its receipt was merged.
fn with_damage(damage: impl Fn(&Place)) -> Value {
    let place = cluster();
    ship(&place, "cp1", &[]);
    place.kpki(&["crl", "update", "ca", "--dir", "c", "--at", NOW]).status(0);
    ship(&place, "cp1", &[]);
    damage(&place);
    receipt_at(&place, "cp1", LATER, "cp1.json");
    merge(&place, &["cp1.json"]).status(0);
    let run = nodes(&place, &[]);
    let row = run.json()["nodes"][0].clone();
    let exit = if row["standing"] == "contradicts" { 4 } else { 3 };
    run.status(exit);
    row
}

#[test]
fn what_is_missing_or_no_key_of_its_certificate_is_unpacked_again() {
    let remove = |name: &'static str| {
        with_damage(move |place| fs::remove_file(place.path(&dir("cp1")).join("pki").join(name)).unwrap())
    };
    for (file, standing, differing) in [
        ("apiserver.crt", "waiting", "[\"apiserver\"]"),
        ("apiserver.key", "waiting", "[\"apiserver\"]"),
        ("sa.key", "waiting", "[\"sa\"]"),
        ("ca.crl", "waiting", "[]"),
    ] {
        let row = remove(file);
        assert_eq!((&row["standing"], &*row["differing"].to_string()), (&standing.into(), differing), "{file}: {row}");
        assert!(row["next"].to_string().contains(UNPACK), "{file}: {row}");
    }
    let row = with_damage(|place| {
        let pki = place.path(&dir("cp1")).join("pki");
        fs::copy(pki.join("front-proxy-client.key"), pki.join("apiserver.key")).unwrap();
    });
    assert_eq!(row["standing"], "contradicts");
    assert!(row["findings"].to_string().contains("the key of apiserver is not that of its certificate"), "{row}");
    assert!(row["next"].to_string().contains(UNPACK), "{row}");
}

#[test]
fn a_key_of_an_authority_where_none_may_be_is_a_finding() {
    let place = Place::new();
    place.write("p.yaml", PROFILE.replace("caKeys: control-plane", "caKeys: none"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    ship(&place, "cp1", &[]);
    receipt_at(&place, "cp1", NOW, "cp1.json").status(0);
    fs::copy(place.path("c/pki/ca.key"), place.path(&dir("cp1")).join("pki/ca.key")).unwrap();
    let run = receipt_at(&place, "cp1", LATER, "cp1.json").status(4);
    assert!(run.stderr.contains("by the profile (caKeys) this node has none"), "{}", run.stderr);
    merge(&place, &["cp1.json"]).status(0);
    let run = nodes(&place, &[]).status(4);
    assert!(
        run.json()["nodes"][0]["findings"].to_string().contains("the key of ca is beside /etc/kubernetes/pki/ca.crt")
    );
}

#[test]
fn what_a_node_has_renewed_is_renewed_here_before_it_is_packed() {
    let place = cluster();
    ship(&place, "cp1", &[]);
    place.kpki(&["renew", "scheduler.conf", "--dir", &dir("cp1"), "--at", LATER]).status(0);
    receipt_at(&place, "cp1", LATER, "cp1.json").ok();
    merge(&place, &["cp1.json"]).status(0);
    place.kpki(&["revoke", "w1/kubelet.conf", "--dir", "c", "--at", LATER]).status(0);
    let next = nodes(&place, &[]).status(3).json()["nodes"][0]["next"].clone();
    assert!(next[0].as_str().unwrap().ends_with(": kpki renew cp1/scheduler.conf --dir c"), "{next}");
    assert!(next[1].as_str().unwrap().ends_with(UNPACK), "{next}");
    place.kpki(&["export", "cp1", "--dir", "c", "--at", LATER, "--out", "x.tar"]).fails(1);
    place.kpki(&["renew", "cp1/scheduler.conf", "--dir", "c", "--at", "2026-11-21T22:01:00Z"]).status(0);
    place.kpki(&["export", "cp1", "--dir", "c", "--at", LATER, "--out", "x.tar"]).status(0);
}

#[test]
fn nothing_is_recorded_as_packed_in_the_future() {
    let place = Place::new();
    place.write("p.yaml", PROFILE.replace("nodes:\n", "certificateValidityPeriod: 85000h\nnodes:\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    ship(&place, "cp1", &["--at", "2036-01-01T00:00:00Z"]);
    assert!(!place.read("c/.kpki/nodes/shipped/cp1.json").contains("\"time\": \"2036"));
}

#[test]
fn what_is_known_of_a_node_goes_with_it() {
    let place = cluster();
    for node in ["cp1", "w1"] {
        ship(&place, node, &[]);
        receipt_at(&place, node, LATER, &format!("{node}.json")).ok();
    }
    merge(&place, &["cp1.json", "w1.json"]).status(0);
    assert!(place.path("c/.kpki/nodes/w1.json").exists() && place.path("c/.kpki/nodes/shipped/w1.json").exists());
    let run = place.kpki(&["nodes", "remove", "w1", "--dir", "c", "--at", LATER, "-o", "json"]).status(0);
    assert!(run.stdout.contains(".kpki/nodes/shipped/w1.json"), "{}", run.stdout);
    assert!(!place.path("c/.kpki/nodes/w1.json").exists() && !place.path("c/.kpki/nodes/shipped/w1.json").exists());
    assert!(place.path("c/.kpki/nodes/cp1.json").exists());
}
