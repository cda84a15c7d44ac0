//! A tree whose certificates its own authority did not sign cannot work, however long they are valid.

use std::fs;

use super::harness::{Place, repository, single};

const LATER: &str = "2026-11-21T00:00:00Z";

/// Two clusters of one name, each with its own authorities.
fn two() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    for dir in ["k8s", "other"] {
        place.init(&["--profile", "p.yaml", "--dir", dir]).ok();
    }
    place
}

fn states(place: &Place, status: i32) -> Vec<(String, String)> {
    let run = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "json"]).status(status);
    let json = run.json();
    let rows = json["certificates"].as_array().unwrap().iter();
    let text = |row: &serde_json::Value, field: &str| row[field].as_str().unwrap().to_owned();
    rows.map(|row| (text(row, "name"), text(row, "state")))
        .filter(|(_, state)| state != "ok" && state != "absent")
        .collect()
}

/// Whose certificates `ca` signs, in kubeadm's order of names.
const OF_CA: [&str; 8] = [
    "admin.conf",
    "apiserver",
    "apiserver-kubelet-client",
    "controller-manager.conf",
    "kubelet-serving",
    "kubelet.conf",
    "scheduler.conf",
    "super-admin.conf",
];

#[test]
fn another_clusters_authority_in_place_is_found_and_repaired() {
    let place = two();
    for file in ["pki/ca.crt", "pki/ca.key"] {
        fs::copy(place.path("other").join(file), place.path("k8s").join(file)).unwrap();
    }
    let expected: Vec<_> = OF_CA.iter().map(|name| ((*name).to_owned(), "wrong-issuer".to_owned())).collect();
    assert_eq!(states(&place, 4), expected);
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(table.starts_with("wrong issuer: 8 wrong issuer, 13 ok of 21 certificates"), "{table}");
    assert!(table.contains("have it sign them again: kpki renew"), "{table}");
    let nagios = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "nagios"]).status(2);
    assert!(nagios.stdout.starts_with("CERTIFICATES CRITICAL - 8 wrong issuer"), "{}", nagios.stdout);

    let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER, "-o", "json"]).ok();
    let entries = run.json()["trees"][0]["entries"].clone();
    let mut renewed: Vec<String> = Vec::new();
    for entry in entries.as_array().unwrap().iter().filter(|entry| entry["action"] == "renew") {
        renewed.push(entry["name"].as_str().unwrap().to_owned());
        let reason = entry["reasons"][0].as_str().unwrap();
        assert_eq!(reason, "signed by CN=kubernetes, and not by the authority in the tree");
    }
    renewed.sort();
    assert_eq!(renewed, OF_CA);
    assert_eq!(states(&place, 0), []);
}

/// Without the authority's key nothing can be signed again: the exit status of the renewal says so.
#[test]
fn without_the_key_it_is_not_done() {
    let place = two();
    fs::copy(place.path("other/pki/etcd/ca.crt"), place.path("k8s/pki/etcd/ca.crt")).unwrap();
    fs::remove_file(place.path("k8s/pki/etcd/ca.key")).unwrap();
    let wrong: Vec<String> = states(&place, 4).into_iter().map(|(name, _)| name).collect();
    assert_eq!(wrong, ["apiserver-etcd-client", "etcd-healthcheck-client", "etcd-peer", "etcd-server"]);
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).status(5);
}

/// One authority for the cluster and etcd: whoever has a client certificate of the cluster's can write all of etcd.
#[test]
fn one_authority_for_the_cluster_and_etcd_is_a_finding() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "other"]).ok();
    for (from, to) in [("ca", "ca"), ("ca", "etcd/ca")] {
        for end in ["crt", "key"] {
            let to = place.path(&format!("k8s/pki/{to}.{end}"));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(place.path(&format!("other/pki/{from}.{end}")), to).unwrap();
        }
    }
    let refused = place.init(&["--profile", "p.yaml", "--dir", "k8s"]).fails(1);
    assert!(refused.stderr.contains("etcd-ca has the key of ca: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("or accept that with --allow-shared-ca"), "{}", refused.stderr);
    place.init(&["--profile", "p.yaml", "--dir", "k8s", "--allow-shared-ca"]).ok();
    let run = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(0);
    let said = "- 1 authority is another authority of the tree as well: all certificates of both are trusted in its place (etcd-ca)";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    let json = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "json"]).ok().json();
    let authorities = json["certificateAuthorities"].as_array().unwrap().clone();
    let etcd = authorities.iter().find(|row| row["name"] == "etcd-ca").unwrap();
    assert_eq!(etcd["notes"], serde_json::json!([{"note": "shared-authority"}]));
}

/// All certificates of a file are trusted, not the first alone. What was accepted once is not refused again.
#[test]
fn an_authority_behind_another_is_shared_too() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    let etcd = place.read("k8s/pki/etcd/ca.crt") + &place.read("k8s/pki/ca.crt");
    place.write("k8s/pki/etcd/ca.crt", etcd);
    let refused = place.init(&["--dir", "k8s"]).fails(1);
    assert!(refused.stderr.contains("etcd-ca has the key of ca"), "{}", refused.stderr);
    let check = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(0).stdout;
    assert!(check.contains("1 authority is another authority of the tree as well"), "{check}");
    place.init(&["--dir", "k8s", "--allow-shared-ca"]).status(0);
    place.init(&["--dir", "k8s"]).status(0);
}

/// A node's copies are what the cluster directory has.
#[test]
fn another_clusters_files_in_a_cluster_directory_are_found() {
    let place = Place::new();
    for dir in ["k8s", "other"] {
        place.init(&["--profile", repository("profiles/ha-load-balancer.yaml").to_str().unwrap(), "--dir", dir]).ok();
    }
    assert_eq!(states(&place, 0), []);
    let put = |from: &str, to: &str| fs::copy(place.path(from), place.path(to)).unwrap();
    for end in ["key", "pub"] {
        put(&format!("other/pki/sa.{end}"), &format!("k8s/nodes/cp2/pki/sa.{end}"));
    }
    assert_eq!(states(&place, 4), [("sa".to_owned(), "key-mismatch".to_owned())]);
    for end in ["key", "pub"] {
        put(&format!("k8s/pki/sa.{end}"), &format!("k8s/nodes/cp2/pki/sa.{end}"));
    }
    for end in ["key", "crt"] {
        put(&format!("other/pki/ca.{end}"), &format!("k8s/pki/ca.{end}"));
    }
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(
        table.contains("not what the cluster directory has in pki/ (cp1/ca, cp2/ca, cp3/ca, worker1/ca, worker2/ca)"),
        "{table}"
    );
    assert!(table.contains("kpki inspect k8s/nodes/cp1/pki/ca.crt"), "{table}");
}
