//! Many trees in one run: one that fails does not stop the others.

use std::fs;

use super::super::harness::{NOW, Place, single};

fn clusters(names: &[&str]) -> Place {
    let place = Place::new();
    for name in names {
        let profile = format!("clusters/{name}.yaml");
        place.write(&profile, single(&format!("clusterName: {name}\n")));
        place.init(&["-p", &profile, "--dir", &format!("clusters/{name}")]).ok();
    }
    place
}

fn fleet(place: &Place, words: &[&str], status: i32) -> serde_json::Value {
    place.kpki(&[&["renew", "all", "--at", NOW, "-o", "json"], words].concat()).status(status).json()
}

fn outcomes(report: &serde_json::Value) -> Vec<(String, String)> {
    let text = |tree: &serde_json::Value, key: &str| tree[key].as_str().unwrap().to_owned();
    report["trees"].as_array().unwrap().iter().map(|tree| (text(tree, "directory"), text(tree, "outcome"))).collect()
}

#[test]
fn a_broken_tree_stops_no_other() {
    let place = clusters(&["a", "b", "c", "d", "e", "f"]);
    // No authority of c has its own key: nothing there can go on.
    for stem in ["ca", "front-proxy-ca", "etcd/ca"] {
        fs::copy(place.path("clusters/a/pki/ca.key"), place.path("clusters/c/pki").join(format!("{stem}.key")))
            .unwrap();
    }
    place.write("clusters/e.yaml", "nonsense");
    fs::remove_file(place.path("clusters/f/pki/ca.key")).unwrap();
    let report = fleet(&place, &["--profiles", "clusters"], 1);
    let wanted =
        [("a", "renewed"), ("b", "renewed"), ("c", "failed"), ("d", "renewed"), ("e", "failed"), ("f", "left")];
    assert_eq!(outcomes(&report), wanted.map(|(name, outcome)| (format!("clusters/{name}"), outcome.to_owned())));
    let failure = &report["trees"][2]["failure"];
    assert!(failure["what"].as_str().unwrap().contains("nothing was written"), "{failure}");
    assert!(failure["why"][0].as_str().unwrap().contains("the authority ca cannot sign"), "{failure}");
    let table = place.kpki(&["renew", "all", "--due", "--at", NOW, "--profiles", "clusters"]).status(1);
    assert!(table.stdout.contains("2 failed"), "{}", table.stdout);
    // Mended, nothing is due.
    let run = place.kpki(&["renew", "all", "--due", "--at", NOW, "-d", "clusters/a", "-d", "clusters/b"]).ok();
    assert!(run.stdout.contains("2 with nothing due"), "{}", run.stdout);
}

#[test]
fn several_profiles_are_several_trees() {
    let place = clusters(&["a", "b", "c"]);
    let report = fleet(&place, &["-p", "clusters/a.yaml", "-p", "clusters/c.yaml", "--detailed-exitcode"], 10);
    assert_eq!(outcomes(&report).len(), 2);
    assert_eq!((&report["outcome"], &report["trees"][1]["clusterName"]), (&"renewed".into(), &"c".into()));
    assert!(!place.read("clusters/b/.kpki/journal.jsonl").contains(r#""command":"renew""#));
    let run = place.kpki(&["renew", "all", "-p", "clusters/a.yaml", "-p", "clusters/c.yaml", "-d", "clusters/a"]);
    run.fails(2);
}

#[test]
fn the_same_tree_named_twice_is_renewed_once() {
    let place = clusters(&["a"]);
    let report = fleet(&place, &["-d", "clusters/a", "-d", "clusters/a/"], 0);
    assert_eq!(outcomes(&report).len(), 1);
    let lines = fs::read_to_string(place.path("clusters/a/.kpki/journal.jsonl")).unwrap();
    assert_eq!(lines.lines().filter(|line| line.contains(r#""command":"renew""#)).count(), 13);
}
