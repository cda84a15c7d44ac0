//! A key that is not its certificate's: nobody can use the two, however long they are valid.

use std::fs;

use super::harness::{Place, single};

const LATER: &str = "2026-11-21T00:00:00Z";

fn made(lines: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(lines));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

fn states(place: &Place, status: i32) -> Vec<String> {
    let run = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "json"]).status(status);
    let json = run.json();
    let rows =
        json["certificates"].as_array().unwrap().iter().chain(json["certificateAuthorities"].as_array().unwrap());
    let text = |row: &serde_json::Value, field: &str| row[field].as_str().unwrap().to_owned();
    rows.map(|row| (text(row, "name"), text(row, "state")))
        .filter(|(_, state)| state != "ok" && state != "absent")
        .map(|(name, state)| format!("{name} {state}"))
        .collect()
}

fn swap(place: &Place, one: &str, other: &str) {
    let (one, other) = (place.path("k8s").join(one), place.path("k8s").join(other));
    let (first, second) = (fs::read(&one).unwrap(), fs::read(&other).unwrap());
    fs::write(one, second).unwrap();
    fs::write(other, first).unwrap();
}

/// The credential's line of one kubeconfig in another.
fn graft(place: &Place, from: &str, to: &str, field: &str) {
    let line = |text: &str| text.lines().find(|line| line.contains(field)).unwrap().to_owned();
    let (from, text) = (place.read(&format!("k8s/{from}")), place.read(&format!("k8s/{to}")));
    place.write(&format!("k8s/{to}"), text.replace(&line(&text), &line(&from)));
}

#[test]
fn swapped_keys_are_found_and_repaired() {
    for kind in ["RSA-2048", "ECDSA-P384"] {
        let place = made(&format!("encryptionAlgorithm: {kind}\n"));
        place.kpki(&["export", "--verify", "cp1", "--dir", "k8s"]).status(0);
        swap(&place, "pki/apiserver.key", "pki/front-proxy-client.key");
        graft(&place, "scheduler.conf", "controller-manager.conf", "client-key-data");
        let wrong =
            ["apiserver", "controller-manager.conf", "front-proxy-client"].map(|name| format!("{name} key-mismatch"));
        assert_eq!(states(&place, 4), wrong, "{kind}");
        let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
        assert!(table.starts_with("key does not match: 3 key does not match, 13 ok of 16 certificates"), "{table}");
        assert!(
            table.contains(
                "new keys and certificates: kpki renew apiserver front-proxy-client controller-manager.conf --dir k8s"
            ),
            "{table}"
        );
        let nagios = place.kpki(&["check-expiration", "k8s", "--at", LATER, "-o", "nagios"]).status(2);
        assert!(nagios.stdout.starts_with("CERTIFICATES CRITICAL - 3 key does not match"), "{}", nagios.stdout);
        // Everybody says so.
        place.kpki(&["export", "--verify", "cp1", "--dir", "k8s"]).status(4);
        let run = place.init(&["--dir", "k8s"]).status(1);
        assert_eq!(run.stderr.matches("the key does not match the certificate").count(), 3, "{}", run.stderr);

        let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
        assert!(run.stdout.starts_with("renewed 3 of "), "{}", run.stdout);
        assert_eq!(states(&place, 0), [] as [String; 0]);
        place.kpki(&["export", "--verify", "cp1", "--dir", "k8s"]).status(0);
    }
}

#[test]
fn an_authoritys_and_the_service_accounts_keys_are_looked_at() {
    let place = made("");
    swap(&place, "pki/ca.key", "pki/etcd/ca.key");
    assert_eq!(states(&place, 4), ["ca key-mismatch", "etcd-ca key-mismatch"]);
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(table.contains("put the key of k8s/pki/ca.crt back in place"), "{table}");
    place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).status(5);

    let place = made("");
    let other = made("");
    fs::copy(other.path("k8s/pki/sa.pub"), place.path("k8s/pki/sa.pub")).unwrap();
    assert_eq!(states(&place, 4), ["sa key-mismatch"]);
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(table.contains("kpki init --force --dir k8s"), "{table}");
    // Of several, one has to be it.
    place.write("k8s/pki/sa.pub", place.read("k8s/pki/sa.pub") + &other.read("k8s/pki/sa.pub"));
    assert_eq!(states(&place, 4), ["sa key-mismatch"]);
    let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).warns();
    assert!(run.stderr.contains("pki/sa.pub is not the public half of sa.key"), "{}", run.stderr);
    place.init(&["--dir", "k8s", "--force"]).ok();
    assert_eq!(states(&place, 0), [] as [String; 0]);
    place.write("k8s/pki/sa.pub", other.read("k8s/pki/sa.pub") + &place.read("k8s/pki/sa.pub"));
    assert_eq!(states(&place, 0), [] as [String; 0]);
}

#[test]
fn what_a_kubeconfig_names_is_compared_and_what_cannot_be_seen_is_not_guessed() {
    let place = made("");
    // As the kubelet leaves it: both in one file.
    let pem = place.read("k8s/pki/apiserver-kubelet-client.crt");
    let name = |key: &str| {
        fs::create_dir_all(place.path("k8s/kubelet")).unwrap();
        place.write("k8s/kubelet/kubelet-client-current.pem", pem.clone() + &place.read(key));
    };
    let text = place.read("k8s/kubelet.conf");
    let (before, _) = text.split_once("    client-certificate-data").unwrap();
    let current = "/var/lib/kubelet/pki/kubelet-client-current.pem";
    place.write("k8s/kubelet.conf", format!("{before}    client-certificate: {current}\n    client-key: {current}\n"));
    name("k8s/pki/apiserver-kubelet-client.key");
    assert_eq!(states(&place, 0), [] as [String; 0]);
    name("k8s/pki/apiserver.key");
    assert_eq!(states(&place, 4), ["kubelet.conf key-mismatch"]);
}

/// A certificate whose key is not there, or is none that a component of Kubernetes reads, is of no use.
#[test]
fn a_key_that_cannot_be_used_is_a_finding_and_renewed() {
    let place = made("");
    let key = |path: &str| place.path("k8s/pki").join(path);
    let der = |path: &str| {
        let text = place.read(&format!("k8s/pki/{path}"));
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        kpki::encoding::base64::decode(body.as_bytes()).unwrap().to_vec()
    };
    fs::write(key("apiserver.key"), "").unwrap();
    fs::write(key("front-proxy-client.key"), der("front-proxy-client.key")).unwrap();
    fs::remove_file(key("etcd/server.key")).unwrap();
    std::os::unix::fs::symlink("nowhere", key("etcd/server.key")).unwrap();
    let text = place.read("k8s/pki/apiserver-etcd-client.key");
    let head = "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n\n";
    place.write("k8s/pki/apiserver-etcd-client.key", text.replacen("KEY-----\n", head, 1));
    // Of another kind: Ed25519.
    place.write(
        "k8s/pki/etcd/healthcheck-client.key",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----\n",
    );
    fs::remove_file(key("etcd/peer.key")).unwrap();
    assert_eq!(
        states(&place, 4),
        [
            "apiserver-etcd-client[key] unreadable",
            "apiserver[key] unreadable",
            "etcd-healthcheck-client key-mismatch",
            "etcd-peer[key] missing",
            "etcd-server[key] missing",
            "front-proxy-client[key] unreadable"
        ]
    );
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(table.contains("5 certificates have no keys that can be used"), "{table}");
    assert!(table.contains("put it back in place: k8s/pki/apiserver.key"), "{table}");
    fs::remove_file(key("etcd/server.key")).unwrap();
    let run = place.kpki(&["renew", "all", "--due", "--dir", "k8s", "--at", LATER]).ok();
    assert!(run.stdout.starts_with("renewed 6 of "), "{}", run.stdout);
    assert_eq!(states(&place, 0), [] as [String; 0]);
    fs::remove_file(key("etcd/peer.key")).unwrap();
    fs::create_dir(key("etcd/peer.key")).unwrap();
    assert_eq!(states(&place, 4), ["etcd-peer[key] unreadable"]);
}

/// They may be kept elsewhere on purpose; what is in their place has to be they.
#[test]
fn the_key_of_an_authority_or_sa_may_be_absent_but_not_broken() {
    let place = made("");
    let key = |path: &str| place.path("k8s/pki").join(path);
    for name in ["ca.key", "etcd/ca.key", "sa.key"] {
        fs::remove_file(key(name)).unwrap();
    }
    assert_eq!(states(&place, 0), [] as [String; 0]);
    for name in ["ca.key", "sa.key"] {
        fs::write(key(name), "hello").unwrap();
    }
    assert_eq!(states(&place, 4), ["sa[key] unreadable", "ca[key] unreadable"]);
    let table = place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(4).stdout;
    assert!(table.contains("1 authority has a key that cannot be used (ca)"), "{table}");

    let place = made("");
    let public = place.path("k8s/pki/sa.pub");
    fs::write(&public, "hello").unwrap();
    assert_eq!(states(&place, 4), ["sa unreadable"]);
    fs::remove_file(&public).unwrap();
    assert_eq!(states(&place, 4), ["sa missing"]);
    place.init(&["--dir", "k8s"]).ok();
    assert_eq!(states(&place, 0), [] as [String; 0]);
}

/// What import puts in order, in a tree that is there.
#[test]
fn a_file_in_another_order_or_with_duplicates_is_found_and_put_in_order() {
    let place = made("");
    let (leaf, ca) = (place.read("k8s/pki/apiserver.crt"), place.read("k8s/pki/ca.crt"));
    let check = |status| place.kpki(&["check-expiration", "k8s", "--at", LATER]).status(status).stdout;

    place.write("k8s/pki/apiserver.crt", ca.clone() + &leaf);
    assert_eq!(states(&place, 4), ["apiserver key-mismatch"]);
    let said = check(4);
    assert!(said.contains("- 1 file begins with a certificate of its chain (apiserver)"), "{said}");
    let import = "kpki import k8s/pki/apiserver.crt --dir k8s";
    assert!(said.contains(&format!("put its certificates in order: {import}")), "{said}");
    let run = place.kpki(&["import", "k8s/pki/apiserver.crt", "--dir", "k8s", "--at", LATER]).warns();
    assert!(
        run.stderr.contains("its certificates are put in order: CN=kube-apiserver; CN=kubernetes"),
        "{}",
        run.stderr
    );
    assert_eq!(place.read("k8s/pki/apiserver.crt"), leaf);

    place.write("k8s/pki/apiserver.crt", leaf.clone() + &leaf);
    place.write("k8s/pki/ca.crt", ca.clone() + &ca);
    let said = check(0);
    assert!(said.contains("- 2 certificates stand more than once in their files (ca, apiserver)"), "{said}");
    assert!(said.contains("to have it there once: kpki import k8s/pki/ca.crt --as ca --dir k8s"), "{said}");
    place.kpki(&["import", "k8s/pki/ca.crt", "--as", "ca", "--dir", "k8s", "--at", LATER]).warns();
    let said = check(0);
    assert!(said.contains(&format!("to have it there once: {import}")), "{said}");
    place.kpki(&["import", "k8s/pki/apiserver.crt", "--dir", "k8s", "--at", LATER]).warns();
    assert_eq!((place.read("k8s/pki/apiserver.crt"), place.read("k8s/pki/ca.crt")), (leaf, ca));
    assert!(!check(0).contains("more than once"));
}

/// A fleet is looked at for its dates; whose the keys are is a question of its own there.
#[test]
fn in_a_large_fleet_keys_are_compared_when_asked() {
    let place = made("");
    swap(&place, "pki/apiserver.key", "pki/front-proxy-client.key");
    for number in 0..101 {
        super::harness::copy_tree(&place.path("k8s"), &place.path(&format!("fleet/{number:03}")));
    }
    let check = |more: &[&str], status| {
        place.kpki(&[&["check-expiration", "fleet", "--at", LATER], more].concat()).status(status)
    };
    let run = check(&[], 0);
    assert!(run.stderr.contains("in up to 100 trees; here with --keys"), "{}", run.stderr);
    let run = check(&["--keys"], 4);
    assert!(run.stdout.starts_with("key does not match: 202 key does not match"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}
