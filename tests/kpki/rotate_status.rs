//! `kpki rotate status` in all its forms, and `kpki rotate next`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::harness::{Place, single};
use super::rotate_gate::{BEGIN, prepared, step};

const HOUR: &str = "2026-11-20T23:00:00Z";
const DAY: &str = "2026-11-21T23:00:00Z";

#[test]
fn nothing_in_progress_is_said() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let run = step(&place, "status", HOUR, &[]).ok();
    assert_eq!(run.stdout, "nothing is being rotated: cluster kubernetes, in c\n");
    let run = step(&place, "next", HOUR, &[]).ok();
    assert!(run.stdout.contains("kpki rotate prepare all --dir c") && !run.wrote, "{}", run.stdout);
    let document = step(&place, "status", HOUR, &["-o", "json"]).ok().json();
    assert_eq!((&document["kind"], &document["outcome"]), (&"RotationStatus".into(), &"none".into()));
    assert_eq!(document["authorities"].as_array().unwrap().len(), 4);
}

#[test]
fn a_status_says_what_is_waited_for() {
    let place = prepared(&["ca", "sa"]);
    step(&place, "confirm", BEGIN, &["cp1", "w1"]).ok();
    let run = step(&place, "status", HOUR, &[]).status(3);
    assert!(!run.wrote);
    for said in [
        "ca, sa prepared for 60m: cluster prod, in c\n",
        "kubernetes, kubernetes@2",
        "switch, when 2 more of 4 nodes confirm",
        "switch, when 1 more of 2 nodes confirms",
        "front-proxy-ca, etcd-ca: none",
        "restart, unless done: kube-apiserver, kube-controller-manager, kube-scheduler, kubelet",
        "c/.kpki/rotation/prepare.md",
        "kpki rotate confirm cp2 lb1 --dir c\n",
    ] {
        assert!(run.stdout.contains(said), "{said}\n{}", run.stdout);
    }
    step(&place, "status", HOUR, &["--exit-zero"]).ok();
    let only = step(&place, "status", HOUR, &["etcd-ca"]).ok();
    assert!(only.stdout.starts_with("nothing is being rotated"), "{}", only.stdout);
    step(&place, "status", HOUR, &["other"]).fails(2);
    let wide = step(&place, "status", HOUR, &["-o", "wide"]).status(3);
    assert!(wide.stdout.contains("CN=kubernetes@2") && wide.stdout.contains("crictl stop"), "{}", wide.stdout);

    let json = step(&place, "status", HOUR, &["-o", "json"]).status(3).json();
    let ca = &json["authorities"][0];
    assert_eq!(
        ["authority", "phase", "since", "nextStep", "notBefore"].map(|field| ca[field].as_str().unwrap()),
        ["ca", "prepared", BEGIN, "switch", HOUR]
    );
    assert_eq!(ca["new"]["subject"], "CN=kubernetes@2");
    assert_eq!(ca["old"]["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(json["authorities"][3]["old"]["kid"].as_str().unwrap().len(), 43);
    assert!(!json.to_string().contains("BEGIN"), "{json}");
    let node = |name: &str| json["nodes"].as_array().unwrap().iter().find(|one| one["node"] == name).unwrap().clone();
    assert_eq!((&node("cp1")["inForce"], &node("cp1")["owed"]), (&true.into(), &Value::Array(vec![])));
    assert_eq!(node("cp1")["authorities"][0]["seenBy"], "confirmed");
    assert_eq!(node("lb1")["inForce"], false);
    let yaml = step(&place, "status", HOUR, &["-o", "yaml"]).status(3);
    assert!(yaml.stdout.contains("kind: RotationStatus"), "{}", yaml.stdout);
}

#[test]
fn metrics_have_help_and_type_and_each_series_once() {
    let place = prepared(&["etcd-ca", "sa"]);
    let run = step(&place, "status", HOUR, &["-o", "prometheus"]).status(3);
    let begin = 1_795_212_000;
    for line in [
        "kpki_rotation_phase{authority=\"etcd-ca\",phase=\"prepared\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 1"
            .to_owned(),
        "kpki_rotation_phase{authority=\"etcd-ca\",phase=\"none\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 0".to_owned(),
        "kpki_rotation_phase{authority=\"ca\",phase=\"none\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 1".to_owned(),
        format!(
            "kpki_rotation_phase_start_timestamp_seconds{{authority=\"sa\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"}} {begin}"
        ),
        format!(
            "kpki_rotation_next_allowed_timestamp_seconds{{authority=\"sa\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"}} {}",
            begin + 3600
        ),
        "kpki_rotation_nodes_unconfirmed{authority=\"sa\",source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 2".to_owned(),
        "kpki_rotation_blocked{source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 0".to_owned(),
    ] {
        assert!(run.stdout.lines().any(|one| one == line), "{line}\n{}", run.stdout);
    }
    let (mut known, mut series) = (Vec::new(), Vec::new());
    for line in run.stdout.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            known.push(help.split(' ').next().unwrap());
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{} gauge", known.last().unwrap()));
        } else {
            let (name, _) = line.split_once('{').unwrap();
            assert_eq!(name, *known.last().unwrap());
            series.push(line.rsplit_once(' ').unwrap().0);
        }
    }
    let count = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), count);
    // A service account key has no end.
    assert!(!run.stdout.contains("old_not_after{authority=\"sa\""));
}

#[test]
fn what_cannot_be_right_is_a_finding() {
    let place = prepared(&["etcd-ca"]);
    let text = place.read("c/.kpki/rotation.json");
    // The old one ends before both waits can be over.
    let run = step(&place, "status", "2036-11-17T20:00:00Z", &[]).status(4);
    assert!(
        run.stdout.contains("etcd-ca: the old one ends at 2036-11-17T22:00:00Z, before the waits are over"),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("the old etcd-ca ends in 2h") || run.stderr.contains("the old etcd-ca ends in 120m"),
        "{}",
        run.stderr
    );
    for (damaged, said) in [
        ("{", "cannot read"),
        (&text.replace("\"version\": 1", "\"version\": 9"), "expected version 1, found 9"),
        (&text.replace("prepared", "begun"), "cannot read"),
    ] {
        place.write("c/.kpki/rotation.json", damaged);
        for form in ["text", "json", "prometheus"] {
            let run = step(&place, "status", HOUR, &["-o", form]).status(4);
            assert!(form == "prometheus" || run.stdout.contains(said), "{}", run.stdout);
        }
        let run = step(&place, "status", HOUR, &["-o", "prometheus"]).status(4);
        assert!(
            run.stdout
                .contains("kpki_rotation_blocked{source_kind=\"file\",source_name=\"c\",cluster=\"prod\",node=\"\"} 1"),
            "{}",
            run.stdout
        );
        step(&place, "switch", HOUR, &[]).fails(1);
        step(&place, "next", HOUR, &[]).status(4);
    }
}

#[test]
fn a_tree_that_cannot_be_written_is_looked_at() {
    let place = prepared(&["sa"]);
    let before = place.files();
    let dirs = ["c", "c/.kpki", "c/.kpki/rotation"];
    let to = |mode| {
        dirs.iter().for_each(|dir| fs::set_permissions(place.path(dir), fs::Permissions::from_mode(mode)).unwrap())
    };
    to(0o500);
    let run = step(&place, "status", HOUR, &[]);
    to(0o700);
    run.status(3);
    assert_eq!(before.len(), place.files().len());
}

#[test]
fn next_goes_through_the_phases() {
    let place = prepared(&["etcd-ca", "sa"]);
    let run = step(&place, "next", HOUR, &[]).status(3);
    assert!(!run.wrote && run.stdout.contains("kpki rotate confirm cp1 cp2 --dir c"), "{}", run.stdout);
    step(&place, "confirm", HOUR, &["all"]).ok();
    let ready = step(&place, "status", HOUR, &[]).status(3);
    assert!(ready.stdout.contains("the next step: kpki rotate switch etcd-ca sa --dir c"), "{}", ready.stdout);
    let dry = step(&place, "next", HOUR, &["--dry-run"]).ok();
    assert!(!dry.wrote && dry.stdout.starts_with("would switch etcd-ca, sa"), "{}", dry.stdout);
    let run = step(&place, "next", HOUR, &[]).ok();
    assert!(run.stdout.starts_with("switch etcd-ca, sa"), "{}", run.stdout);
    step(&place, "next", HOUR, &[]).status(3);
    step(&place, "confirm", HOUR, &["all"]).ok();
    let run = step(&place, "next", DAY, &[]).ok();
    assert!(run.stdout.starts_with("retire etcd-ca, sa"), "{}", run.stdout);
    step(&place, "next", DAY, &[]).ok();
    // What is kept is said again after a month.
    step(&place, "status", DAY, &[]).ok();
    let run = step(&place, "status", "2026-12-25T00:00:00Z", &[]).warns();
    assert!(run.stderr.contains("the key of the old etcd-ca is kept since 2026-11-21T23:00:00Z"), "{}", run.stderr);
    assert!(run.stderr.contains("kpki rotate forget --dir c"), "{}", run.stderr);
}

/// A node that was added has no confirmation; one without a tree does not count, and is named.
#[test]
fn nodes_that_come_and_go() {
    let place = prepared(&["sa"]);
    step(&place, "confirm", HOUR, &["all"]).ok();
    let more = place.read("p.yaml").replace("- {name: w1", "- {name: cp3, addresses: [10.0.0.3]}\n- {name: w1");
    place.write("p.yaml", more);
    place.init(&["--profile", "p.yaml", "--dir", "c"]);
    let json = step(&place, "status", HOUR, &["-o", "json"]).status(3).json();
    let new = json["nodes"].as_array().unwrap().iter().find(|one| one["node"] == "cp3").unwrap();
    assert_eq!(new["inForce"], false);
    fs::remove_dir_all(place.path("c/nodes/cp3")).unwrap();
    let run = step(&place, "status", HOUR, &[]).status(3);
    assert!(run.stderr.contains("sa: 1 not counted, because there is no tree of it here: cp3"), "{}", run.stderr);
    step(&place, "switch", HOUR, &[]).warns();
}
