//! Every verb once as it succeeds and once as it refuses: all that it says, and every file that it touches.

use std::fs;

use super::harness::{NOW, Place, single};

/// Before the time of the machine, which is replaced by its name.
const LATER: &str = "2026-11-21T22:00:00Z";

/// A tree of one node in `t`, made from `p.yaml`.
fn made() -> Place {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.kpki(&["init", "-p", "p.yaml", "--dir", "t", "--at", NOW]).ok();
    place
}

/// The words of a run on that tree.
fn on<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [words, &["--dir", "t", "--at", LATER]].concat()
}

#[test]
fn init() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    let words = ["init", "-p", "p.yaml", "--dir", "t", "--at", NOW];
    place.run(&words).recorded("init");
    place.run(&words).recorded("init-again");
    fs::remove_file(place.path("t/pki/apiserver.key")).unwrap();
    place.run(&words).status(1).recorded("init-refused");
    place.run(&[&words[..], &["--force"]].concat()).recorded("init-force");
}

#[test]
fn check_expiration() {
    let place = made();
    place.run(&["check-expiration", "t", "--at", NOW]).recorded("check-expiration");
    place.run(&["check-expiration", "t", "--at", "2027-11-19", "--quiet"]).status(4).check();
    place.run(&["check-expiration", "nowhere", "--at", NOW]).status(1).recorded("check-expiration-refused");
}

#[test]
fn renew() {
    let place = made();
    place.run(&on(&["renew", "apiserver", "admin.conf"])).recorded("renew");
    place.run(&on(&["renew", "apiserver", "nobody"])).status(2).recorded("renew-refused");
    place.run(&on(&["renew", "all", "--due"])).recorded("renew-nothing-due");
    fs::rename(place.path("t/pki/front-proxy-ca.key"), place.path("elsewhere.key")).unwrap();
    place.run(&on(&["renew", "front-proxy-client"])).status(5).recorded("renew-external");
}

#[test]
fn history_and_restore() {
    let place = made();
    place.run(&["history", "--dir", "none"]).status(1).recorded("history-refused");
    place.kpki(&on(&["renew", "apiserver"])).ok();
    place.run(&["history", "--dir", "t"]).recorded("history");
    place.run(&["history", "--issued", "--dir", "t", "--at", LATER]).recorded("history-issued");
    place.run(&["restore", "20000101T000000Z-renew", "--dir", "t"]).status(2).recorded("restore-refused");
    place.run(&["restore", "20261121T220000Z-renew", "--dir", "t", "--dry-run"]).recorded("restore-dry-run");
    place.run(&["restore", "20261121T220000Z-renew", "--dir", "t"]).recorded("restore");
    place.kpki(&on(&["hold", "etcd-server"])).ok();
    place.run(&["history", "--revoked", "--dir", "t", "--at", LATER]).recorded("history-revoked");
    place.run(&["history", "--dir", "t", "-o", "csv"]).status(2).recorded("history-csv-refused");
}

#[test]
fn revocation() {
    let place = made();
    place.run(&on(&["revoke", "etcd-peer", "--reason", "keyCompromise"])).recorded("revoke");
    place.run(&on(&["revoke", "nobody"])).status(2).recorded("revoke-refused");
    place.run(&on(&["hold", "etcd-server"])).recorded("hold");
    place.run(&on(&["hold", "etcd-peer"])).status(1).recorded("hold-refused");
    place.run(&on(&["release", "etcd-server"])).recorded("release");
    place.run(&on(&["release", "etcd-peer"])).status(1).recorded("release-refused");
}

#[test]
fn crl() {
    let place = made();
    place.run(&on(&["crl", "update"])).recorded("crl-update");
    place.run(&on(&["crl", "update", "--due"])).recorded("crl-update-nothing-due");
    place.run(&on(&["crl", "update", "nobody"])).status(2).recorded("crl-update-refused");
    place.kpki(&on(&["revoke", "etcd-peer"])).ok();
    place.run(&on(&["crl", "check", "etcd-server"])).recorded("crl-check");
    place.run(&on(&["crl", "check", "etcd-peer"])).status(4).recorded("crl-check-revoked");
    place.run(&["crl", "show", "t/pki/etcd/ca.crl", "--at", LATER]).recorded("crl-show");
    place.run(&["crl", "show", "p.yaml", "--at", LATER]).status(1).recorded("crl-show-refused");
}

#[test]
fn external_authority() {
    let place = made();
    place.run(&on(&["csr", "apiserver"])).recorded("csr");
    place.run(&on(&["csr", "nobody"])).status(2).recorded("csr-refused");
    let request = "t/.kpki/requests/pki/apiserver.csr";
    place.run(&on(&["sign", request, "--as", "apiserver", "--out", "a.crt"])).recorded("sign");
    place.run(&on(&["sign", "p.yaml", "--as", "apiserver", "--out", "b.crt"])).status(1).recorded("sign-refused");
    place.run(&on(&["import", "t/pki/ca.crt"])).status(0).recorded("import-in-place");
    place.run(&on(&["import", "p.yaml"])).status(1).recorded("import-refused");
    place.run(&on(&["import", "a.crt"])).recorded("import");
}

#[test]
fn inspect() {
    let place = made();
    place.run(&["inspect", "t/pki/apiserver.crt", "--at", NOW]).recorded("inspect");
    place.run(&["inspect", "p.yaml", "none", "--at", NOW]).status(1).recorded("inspect-refused");
}

#[test]
fn convert() {
    let place = made();
    place
        .run(&["convert", "t/pki/apiserver.crt", "--to", "der", "--out", "a.der"])
        .stdout("wrote a.der (certificate, 0644) from t/pki/apiserver.crt\n")
        .tree("+ a.der 0644\n")
        .check();
    place
        .run(&["convert", "t/pki/apiserver.crt", "--to", "der", "--out", "a.der"])
        .status(1)
        .recorded("convert-refused");
    place.run(&["convert", "t", "--to", "der", "--out", "d"]).recorded("convert-tree");
}

#[test]
fn export() {
    let place = made();
    place.run(&["export", "cp1", "--dir", "t", "--out", "cp1.tar"]).recorded("export");
    place.run(&["export", "cp2", "--dir", "t", "--out", "cp2.tar"]).status(2).recorded("export-refused");
    place.run(&["export", "--verify", "cp1", "--dir", "t"]).recorded("export-verify");
    fs::copy(place.path("t/pki/etcd/peer.key"), place.path("t/pki/etcd/server.key")).unwrap();
    place.run(&["export", "--verify", "cp1", "--dir", "t"]).status(4).recorded("export-verify-refused");
}

#[test]
fn kubeconfig_user() {
    let place = made();
    place.run(&on(&["kubeconfig", "user", "ann", "--group", "dev"])).recorded("kubeconfig-user");
    place.run(&on(&["kubeconfig", "user", "ann", "--out", "ann.conf"])).recorded("kubeconfig-user-file");
    let words = ["kubeconfig", "user", "ann", "--group", "system:masters"];
    place.run(&on(&words)).status(1).recorded("kubeconfig-user-refused");
}

#[test]
fn profile() {
    let place = Place::new();
    place.write("p.yaml", single(""));
    place.write("bad.yaml", single("clusterNmae: x\n"));
    place.run(&["profile", "show", "p.yaml"]).recorded("profile-show");
    place.run(&["profile", "show", "bad.yaml"]).status(2).recorded("profile-show-refused");
    place.run(&["profile", "validate", "p.yaml"]).stdout("p.yaml: valid: cluster kubernetes, 1 node\n").check();
    place.run(&["profile", "validate", "p.yaml", "bad.yaml"]).status(2).recorded("profile-validate-refused");
    place.run(&["profile", "new"]).recorded("profile-new");
    place.run(&["profile", "new", "nothing"]).status(2).recorded("profile-new-refused");
}

#[test]
fn key() {
    let place = made();
    place.run(&["key", "list", "--dir", "t"]).recorded("key-list");
    place.run(&on(&["key", "protect", "all"])).status(1).recorded("key-protect-refused");
    let place = Place::new();
    let node = |name: &str, at: u8| format!("- name: {name}\n  addresses: [10.0.0.{at}]\n");
    let head = "apiVersion: kpki/v1\nkind: ClusterProfile\ncaKeys: none\ncontrolPlaneEndpoint: api:6443\nnodes:\n";
    place.write("p.yaml", format!("{head}{}{}", node("cp1", 1), node("cp2", 2)));
    place.init(&["-p", "p.yaml", "--dir", "t"]).ok();
    place.write("pass", "correct horse\n");
    fs::set_permissions(place.path("pass"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    place.run(&on(&["key", "protect", "all", "--dry-run"])).recorded("key-protect-dry-run");
    place.run(&on(&["key", "protect", "all", "--key-passphrase-file", "pass"])).recorded("key-protect");
    place.run(&["key", "list", "--dir", "t", "-o", "json"]).recorded("key-list-encrypted");
    place.run(&on(&["key", "expose", "ca"])).status(2).recorded("key-expose-refused");
    place.run(&on(&["key", "expose", "ca", "--yes", "--key-passphrase-file", "pass"])).recorded("key-expose");
}
