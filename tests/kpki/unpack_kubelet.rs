//! A node whose kubelet rotates its own certificate: kubelet.conf names it, no archive has it, and it stays on the node.

use std::fs;

use super::harness::{NOW, Place};

const CLUSTER: &str = "apiVersion: kpki/v1
kind: ClusterProfile
encryptionAlgorithm: ECDSA-P256
controlPlaneEndpoint: api.example.com
nodes:
- {name: cp1, roles: [control-plane], addresses: [10.0.0.11]}
- {name: w1, roles: [worker], addresses: [10.0.0.21]}
";
const ROTATED: &str = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/// w1's kubelet.conf names what the kubelet rotates, as on a node that kubeadm has joined.
fn cluster() -> Place {
    let place = Place::new();
    place.write("p.yaml", CLUSTER);
    place.init(&["--profile", "p.yaml", "--dir", "c"]).ok();
    let conf: Vec<String> = place
        .read("c/nodes/w1/kubelet.conf")
        .lines()
        .map(|line| match line.trim_start().split_once(':') {
            Some(("client-certificate-data", _)) => format!("    client-certificate: {ROTATED}"),
            Some(("client-key-data", _)) => format!("    client-key: {ROTATED}"),
            _ => line.to_owned(),
        })
        .collect();
    fs::write(place.path("c/nodes/w1/kubelet.conf"), conf.join("\n") + "\n").unwrap();
    place
}

fn ship(place: &Place, at: &str) -> super::harness::Run {
    let archive = place.path("w1.tar");
    if archive.exists() {
        fs::remove_file(&archive).unwrap();
    }
    place.kpki(&["export", "w1", "--dir", "c", "--out", "w1.tar", "--at", at]).status(0);
    place.kpki(&["unpack", "w1.tar", "--dir", "n/etc/kubernetes", "--node", "w1", "--no-hooks", "--at", at])
}

#[test]
fn what_the_kubelet_rotates_stays_on_its_node_and_has_to_be_there() {
    let place = cluster();
    fs::create_dir_all(place.path("n/etc")).unwrap();
    let refused = ship(&place, NOW).status(1);
    assert!(
        refused.stderr.contains("which is not on this node") && !place.path("n/etc/kubernetes").exists(),
        "{refused:?}"
    );
    place.write(&format!("n{ROTATED}"), "what the kubelet has\n");
    ship(&place, NOW).status(0);
    assert!(place.read("n/etc/kubernetes/kubelet.conf").contains(ROTATED));
    assert_eq!(place.read(&format!("n{ROTATED}")), "what the kubelet has\n");
}

#[test]
fn the_switch_embeds_a_certificate_of_the_new_authority_in_its_place() {
    let place = cluster();
    place.write(&format!("n{ROTATED}"), "what the kubelet has\n");
    let step = |words: &[&str], at: &str| {
        place.kpki(&[&["rotate"], words, &["--dir", "c", "--at", at]].concat()).status(0);
        ship(&place, at).status(0);
        place.read("n/etc/kubernetes/kubelet.conf")
    };
    ship(&place, NOW).status(0);
    let before = place.read("n/etc/kubernetes/kubelet.conf");
    let prepared = step(&["prepare", "ca", "--signer-file-in-use"], "2026-11-22T22:00:00Z");
    assert!(prepared.contains(ROTATED) && prepared != before);
    let pass = ["switch", "--confirm-all", "--not-before-override"];
    let switched = step(&pass, "2026-11-24T22:00:00Z");
    assert!(switched.contains("client-certificate-data") && !switched.contains(ROTATED), "{switched}");
}

/// With `--kubelets wait` only what it trusts changes.
#[test]
fn a_kubelet_that_waits_goes_on_with_its_own() {
    let place = cluster();
    place.write(&format!("n{ROTATED}"), "what the kubelet has\n");
    ship(&place, NOW).status(0);
    let prepare = ["rotate", "prepare", "ca", "--signer-file-in-use", "--dir", "c", "--at", "2026-11-22T22:00:00Z"];
    place.kpki(&prepare).status(0);
    ship(&place, "2026-11-22T22:00:00Z").status(0);
    let prepared = place.read("n/etc/kubernetes/kubelet.conf");
    let switch = ["rotate", "switch", "--kubelets", "wait", "--confirm-all", "--not-before-override", "--dir", "c"];
    place.kpki(&[&switch[..], &["--at", "2026-11-24T22:00:00Z"]].concat()).status(0);
    ship(&place, "2026-11-24T22:00:00Z").status(0);
    let switched = place.read("n/etc/kubernetes/kubelet.conf");
    assert!(switched.contains(ROTATED) && switched != prepared, "{switched}");
}
