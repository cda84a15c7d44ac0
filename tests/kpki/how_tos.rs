//! Which documents are run, with what stands in for programs that are not here (`how_tos/bin`) and what is there before the first
//! block (`how_tos/NAME.sh`).

use std::fs;

use super::harness::{Place, repository};
use super::how_to::{run, run_file, said};

/// `FILE` or `FILE:NAME`: what stands in for the program of that name.
fn stand_ins(names: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let read = |name: &&'static str| {
        let (file, program) = name.split_once(':').unwrap_or((name, name));
        let script = fs::read_to_string(repository(&format!("tests/kpki/how_tos/bin/{file}"))).unwrap();
        (program, &*script.leak())
    };
    names.iter().map(read).collect()
}

/// Scripts that are run first.
fn before<'n>(names: &'n [&'n str]) -> impl FnOnce(&Place) + 'n {
    move |place| {
        for name in names {
            let script = fs::read_to_string(repository(&format!("tests/kpki/how_tos/{name}.sh"))).unwrap();
            said(place, &script, 0);
        }
    }
}

#[test]
fn first_cluster() {
    run("first-cluster", &stand_ins(&["on-the-node:kpki", "kubeadm"]), before(&[]));
}

#[test]
fn high_availability() {
    run("ha-with-haproxy-and-keepalived", &stand_ins(&["ssh", "scp", "systemctl"]), before(&[]));
}

#[test]
fn nodes_come_and_go() {
    run("add-replace-remove-a-node", &stand_ins(&["ssh", "systemctl", "kubectl"]), before(&["cluster"]));
}

#[test]
fn renewal_as_a_job() {
    run(
        "renew-by-systemd-or-cron",
        &stand_ins(&["ssh", "systemctl", "crictl", "on-the-node:kpki"]),
        before(&["cluster", "node"]),
    );
}

#[test]
fn a_leaver() {
    run("a-leaver", &stand_ins(&["ssh", "kubectl"]), before(&["cluster"]));
}

#[test]
fn a_compromised_node() {
    run("a-compromised-node", &stand_ins(&["ssh", "kubectl"]), before(&["cluster"]));
}

#[test]
fn the_corporate_ca() {
    run("corporate-ca", &stand_ins(&[]), before(&["corporate"]));
}

#[test]
fn a_dead_cluster() {
    run(
        "dead-cluster-at-night",
        &stand_ins(&["ssh", "systemctl", "crictl", "kubectl"]),
        before(&["expired", "cluster", "rotated"]),
    );
}

#[test]
fn sites_without_a_network() {
    run("air-gapped-sites", &stand_ins(&["ssh", "on-the-node:kpki"]), before(&["cluster", "forget-nodes"]));
}

#[test]
fn a_lost_safe_host() {
    run("backup-and-lost-safe-host", &stand_ins(&["ssh"]), before(&["cluster", "pass"]));
}

#[test]
fn alerts() {
    run("alerts", &stand_ins(&["ssh", "systemctl", "journalctl"]), before(&["cluster"]));
}

#[test]
fn replacing_an_authority() {
    run(
        "replacing-an-authority",
        &stand_ins(&["ssh", "kubectl", "hours-pass:kpki"]),
        before(&["keys", "cluster", "pass", "secure"]),
    );
}

#[test]
fn trees() {
    run("reference/tree", &stand_ins(&["ssh", "kubectl"]), before(&["cluster"]));
}

#[test]
fn safe_host_and_nodes() {
    run("reference/safe-host-and-nodes", &stand_ins(&["ssh"]), before(&["keys", "cluster", "pass"]));
}

#[test]
fn check_expiration() {
    run("reference/check-expiration", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn verify() {
    run("reference/verify", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn renewing() {
    run("reference/renewing", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn revoking() {
    run("reference/revoking", &stand_ins(&[]), before(&["demo"]));
}

#[test]
fn rotation() {
    run("reference/rotation", &stand_ins(&["ssh", "kubectl"]), before(&["cluster", "prepared"]));
}

#[test]
fn converting() {
    run("reference/converting", &stand_ins(&["ssh", "kubectl", "kubeadm"]), before(&["keys", "cluster"]));
}

#[test]
fn the_readme() {
    run_file("README.md", &stand_ins(&[]), before(&["profiles"]));
}
