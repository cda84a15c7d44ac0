//! When `kpki rotate switch` and `retire` are refused, with what is said, and what goes past it.

use std::fs;

use serde_json::Value;

use super::harness::{Place, Run, single, text};

/// Prepared at, and so long after it.
pub const BEGIN: &str = "2026-11-20T22:00:00Z";
const CLOCKS: &str = "2026-11-20T22:04:59Z";
const HOUR: &str = "2026-11-20T23:00:00Z";
const DAY: &str = "2026-11-21T23:00:00Z";

const CLUSTER: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: prod\n\
    controlPlaneEndpoint: lb.example.com\nencryptionAlgorithm: ECDSA-P256\n\
    nodes:\n- {name: cp1, addresses: [10.0.0.1]}\n- {name: cp2, addresses: [10.0.0.2]}\n\
    - {name: w1, roles: [worker], addresses: [10.0.0.9]}\n- {name: lb1, roles: [load-balancer], addresses: [10.0.0.8]}\n\
    extraCertificates:\n- {name: check, usages: [client], nodes: [lb1]}\n";

/// A cluster directory `c`.
pub fn cluster() -> Place {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place
}

/// One in which these are prepared.
pub fn prepared(authorities: &[&str]) -> Place {
    let place = cluster();
    place.kpki(&[&["rotate", "prepare"], authorities, &["--signer-file-in-use", "--dir", "c", "--at", BEGIN]].concat());
    place
}

pub fn step(place: &Place, verb: &str, at: &str, words: &[&str]) -> Run {
    place.kpki(&[&["rotate", verb, "--dir", "c", "--at", at], words].concat())
}

pub fn record(place: &Place) -> Value {
    serde_json::from_str(&place.read("c/.kpki/rotation.json")).unwrap()
}

/// The journal's lines of a command.
pub fn lines(place: &Place, command: &str) -> Vec<Value> {
    let journal = place.read("c/.kpki/journal.jsonl");
    let all = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["command"] == command).collect()
}

#[test]
fn a_switch_waits_for_every_node_and_for_the_time() {
    let place = prepared(&["ca", "etcd-ca"]);
    for (at, words, said) in [
        (
            HOUR,
            &[][..],
            &["ca: it is prepared since 2026-11-20T22:00:00Z, and not known to be in force on cp1, cp2, w1, lb1"][..],
        ),
        (HOUR, &[], &["etcd-ca: it is prepared since 2026-11-20T22:00:00Z, and not known to be in force on cp1, cp2"]),
        (HOUR, &[], &["or, having looked yourself: kpki rotate confirm cp1 cp2 w1 lb1 --dir c"]),
        (HOUR, &[], &["kpki rotate switch ca etcd-ca --confirm-all --dir c"]),
        (
            CLOCKS,
            &["--confirm-all"],
            &[
                "rotation.waitBeforeSwitch) is over at 2026-11-20T23:00:00Z",
                "do not accept the new certificate before 2026-11-20T22:05:00Z",
            ],
        ),
        (CLOCKS, &["--confirm-all"], &["kpki rotate switch ca etcd-ca --confirm-all --not-before-override --dir c"]),
        (CLOCKS, &["--not-before-override"], &["not known to be in force on"]),
        (HOUR, &["etcd-ca"], &["cannot switch etcd-ca yet"]),
    ] {
        let run = step(&place, "switch", at, words).fails(1);
        said.iter().for_each(|said| assert!(run.stderr.contains(said), "{said}\n{}", run.stderr));
        let dry = step(&place, "switch", at, &[words, &["--dry-run"]].concat()).fails(1);
        assert_eq!(dry.stderr, run.stderr);
    }
    step(&place, "confirm", HOUR, &["cp1", "cp2"]).ok();
    step(&place, "switch", HOUR, &["etcd-ca"]).ok();
    let run = step(&place, "switch", HOUR, &[]).fails(1);
    assert!(
        run.stderr.contains("ca: it is prepared since 2026-11-20T22:00:00Z, and not known to be in force on w1, lb1"),
        "{}",
        run.stderr
    );
    step(&place, "confirm", HOUR, &["all"]).ok();
    step(&place, "switch", HOUR, &[]).ok();
    assert_eq!(record(&place)["rotations"][0]["phase"], "switched");
    assert!(lines(&place, "rotate-override").is_empty());
}

#[test]
fn what_is_passed_over_is_kept() {
    let place = prepared(&["ca"]);
    step(&place, "switch", CLOCKS, &["--confirm-all", "--not-before-override"]).ok();
    let rotation = record(&place)["rotations"][0].clone();
    let what = ["wait until 2026-11-20T23:00:00Z", "clocks until 2026-11-20T22:05:00Z"];
    assert_eq!(rotation["overrides"][0]["what"], serde_json::json!(what));
    assert_eq!(rotation["confirmations"].as_array().unwrap().len(), 4);
    assert_eq!(rotation["confirmations"][0]["by"], "hand");
    let passed = lines(&place, "rotate-override");
    assert_eq!((passed.len(), &passed[0]["details"]), (1, &serde_json::json!(what)));
    assert_eq!(lines(&place, "rotate-confirm")[0]["details"], serde_json::json!(["cp1", "cp2", "w1", "lb1"]));
    // The next phase is confirmed anew.
    let run = step(&place, "retire", DAY, &[]).fails(1);
    assert!(run.stderr.contains("it is switched since 2026-11-20T22:04:59Z, and not known"), "{}", run.stderr);
}

#[test]
fn the_old_authority_stays_while_something_of_it_is_alive() {
    let place = prepared(&["ca"]);
    let user = |name: &str, validity: &str, at: &str| {
        let out = format!("{name}.conf");
        let words =
            ["kubeconfig", "user", name, "--dir", "c", "--out", &out, "--validity", validity, "--at", at, "--force"];
        place.kpki(&words).status(0);
    };
    user("anna", "90d", BEGIN);
    user("bert", "2h", BEGIN);
    user("carla", "90d", BEGIN);
    // It names the certificates that are with their owners.
    step(&place, "switch", HOUR, &["--confirm-all"]).warns();
    // A later one by the new authority takes its place; the other one has ended by then.
    user("carla", "90d", DAY);
    let run = step(&place, "retire", DAY, &["--confirm-all"]).fails(1);
    assert!(run.stderr.contains("still valid: kubeconfig of anna until 2027-02-18T22:00:00Z"), "{}", run.stderr);
    assert!(!run.stderr.contains("bert") && !run.stderr.contains("carla"), "{}", run.stderr);
    assert!(run.stderr.contains("kpki rotate retire ca --confirm-all --not-before-override --dir c"), "{}", run.stderr);
    step(&place, "retire", DAY, &["--confirm-all", "--not-before-override"]).ok();
    assert!(lines(&place, "rotate-override")[0]["details"][0].as_str().unwrap().contains("anna"));
}

#[test]
fn files_of_another_phase_stop_every_step() {
    let place = prepared(&["ca", "sa"]);
    let (bundle, node) = (place.read("c/pki/ca.crt"), place.read("c/nodes/w1/pki/ca.crt"));
    let first: String = bundle.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    for (path, content, said) in [
        (
            "c/pki/ca.crt",
            first.clone(),
            "c/pki/ca.crt: ca is prepared: expected the old one first and the new one, found the old one alone",
        ),
        ("c/nodes/w1/pki/ca.crt", first.clone(), "c/nodes/w1/pki/ca.crt: ca is prepared"),
        ("c/nodes/w1/pki/ca.crt", String::new(), "found nothing that can be read"),
    ] {
        place.write(path, content);
        for verb in ["switch", "retire", "confirm"] {
            let words: &[&str] = if verb == "confirm" { &["all"] } else { &["--confirm-all", "--not-before-override"] };
            let run = step(&place, verb, DAY, words).fails(1);
            assert!(run.stderr.contains(said) && run.stderr.contains("kpki rotate status --dir c"), "{}", run.stderr);
        }
        let run = step(&place, "status", DAY, &[]).status(4);
        assert!(!run.wrote && run.stdout.contains(said), "{}", run.stdout);
        place.write("c/pki/ca.crt", &bundle);
        place.write("c/nodes/w1/pki/ca.crt", &node);
    }
    step(&place, "status", DAY, &[]).status(3);
    // The key of another one.
    let key = place.read("c/pki/sa.key");
    place.write("c/pki/sa.key", place.read("c/pki/ca.key"));
    let run = step(&place, "status", DAY, &[]).status(4);
    assert!(run.stdout.contains("c/pki/sa.key: it is not the key of the first one in"), "{}", run.stdout);
    place.write("c/pki/sa.key", key);
    // A kubeconfig without the new one: renew writes it again.
    let conf = place.read("c/nodes/cp1/scheduler.conf");
    let data = conf.lines().find(|line| line.contains("certificate-authority-data")).unwrap();
    let alone = format!("    certificate-authority-data: {}", base64(&first));
    place.write("c/nodes/cp1/scheduler.conf", conf.replace(data, &alone));
    let run = step(&place, "switch", DAY, &["--confirm-all", "--not-before-override"]).fails(1);
    assert!(run.stderr.contains("other authorities than those of ca.crt are in cp1/scheduler.conf"), "{}", run.stderr);
    assert!(run.stderr.contains("kpki renew all --due --dir c"), "{}", run.stderr);
}

fn base64(text: &str) -> String {
    kpki::encoding::base64::encode(text.as_bytes()).to_string()
}

/// Kubelets that are waited for may have certificates of the old authority as long as the signer gives them.
#[test]
fn kubelets_are_waited_for() {
    let place = prepared(&["ca"]);
    step(&place, "switch", HOUR, &["--confirm-all", "--kubelets", "wait"]).status(0);
    let run = step(&place, "retire", DAY, &["--confirm-all"]).fails(1);
    let said =
        "kubelets renew their own certificates, and may use those of the old authority until 2027-11-20T23:00:00Z";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    let status = step(&place, "status", DAY, &["-o", "json"]).status(3).json();
    assert_eq!(status["authorities"][0]["notBefore"], "2027-11-20T23:00:00Z");
    step(&place, "retire", DAY, &["--confirm-all", "--not-before-override"]).ok();
    assert_eq!(lines(&place, "rotate-override")[0]["details"][0], "kubelets until 2027-11-20T23:00:00Z");
}

/// A node's own tree: its node confirms.
#[test]
fn a_nodes_own_tree_is_one_node_to_be_confirmed() {
    let place = Place::new();
    place.write("p.yaml", single("rotation: {waitBeforeSwitch: 30m, waitBeforeRetire: 2h}\n"));
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    place.kpki(&["rotate", "prepare", "sa", "front-proxy-ca", "--dir", "c", "--at", BEGIN]).ok();
    let run = step(&place, "switch", "2026-11-20T22:20:00Z", &[]).fails(1);
    assert!(run.stderr.contains("not known to be in force on cp1"), "{}", run.stderr);
    assert!(run.stderr.contains("is over at 2026-11-20T22:30:00Z"), "{}", run.stderr);
    step(&place, "confirm", "2026-11-20T22:20:00Z", &["cp1"]).ok();
    step(&place, "switch", "2026-11-20T22:30:00Z", &[]).ok();
    step(&place, "confirm", "2026-11-20T22:30:00Z", &["all"]).ok();
    let run = step(&place, "retire", "2026-11-21T00:29:59Z", &[]).fails(1);
    assert!(run.stderr.contains("rotation.waitBeforeRetire) is over at 2026-11-21T00:30:00Z"), "{}", run.stderr);
    step(&place, "retire", "2026-11-21T00:30:00Z", &[]).ok();
    step(&place, "status", DAY, &[]).ok();
}

/// kubeadm's tree without a profile has its node's name from the kubelet's certificate.
#[test]
fn kubeadms_tree_is_one_node_too() {
    let place = Place::new();
    let fixture = text("fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes");
    super::harness::copy_tree(fixture.as_ref(), &place.path("c"));
    let run = place.kpki(&["rotate", "prepare", "sa", "--dir", "c", "--at", BEGIN]);
    if run.status != 0 {
        panic!("{}", run.stderr);
    }
    let run = step(&place, "switch", HOUR, &[]).fails(1);
    let name = run.stderr.split("in force on ").nth(1).unwrap().lines().next().unwrap().to_owned();
    step(&place, "confirm", HOUR, &[&name]).ok();
    step(&place, "switch", HOUR, &[]).ok();
    fs::remove_file(place.path("c/.kpki/rotation.json")).unwrap();
    step(&place, "status", HOUR, &[]).ok();
}
