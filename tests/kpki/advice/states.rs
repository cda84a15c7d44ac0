//! Trees in the states that errors and summaries are about.

use std::fs;

use super::Host;
use super::sites::{Site, single};

pub fn tree(host: &Host) {
    Site::Single.make(host, "");
    crate::harness::copy_tree(&host.place.path("k8s"), &host.place.path("safe"));
}

pub fn junk(host: &Host) {
    tree(host);
    host.place.write("junk", "nothing\n");
}

pub fn put(host: &Host, from: &str, to: &str) {
    fs::copy(host.place.path(from), host.place.path(to)).unwrap();
}

pub fn remove(host: &Host, file: &str) {
    fs::remove_file(host.place.path(file)).unwrap();
}

/// Without the key of the cluster's authority.
pub fn external(host: &Host) {
    tree(host);
    remove(host, "k8s/pki/ca.key");
}

pub fn key_in_certificate(host: &Host) {
    tree(host);
    let text = host.place.read("k8s/pki/ca.crt") + &host.place.read("k8s/pki/ca.key");
    host.place.write("k8s/pki/ca.crt", text);
}

pub fn locked(host: &Host) {
    tree(host);
    host.place.write("word", "secret\n");
    host.sh("chmod 600 word").ok();
    host.sh("kpki convert k8s/pki/ca.key --to pkcs8-encrypted --out locked.key --out-password-file word").ok();
    put(host, "locked.key", "k8s/pki/ca.key");
}

pub fn revoked(host: &Host) {
    tree(host);
    host.sh("kpki revoke etcd-peer --dir k8s").ok();
}

/// A profile that adds a name, while an authority is external.
pub fn another_name(host: &Host) {
    external(host);
    host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
}

pub fn another_tree(host: &Host) {
    tree(host);
    host.place.write("another.yaml", single("authorities: {ca: {subject: {O: [Another]}}}\n"));
    host.sh("kpki init --profile another.yaml --dir another").ok();
}

pub fn cluster(host: &Host) {
    Site::Cluster.make(host, "");
}

/// A profile with a worker that is yet to be made.
pub fn another_worker(host: &Host) {
    cluster(host);
    let text = host.place.read("p.yaml") + "- {name: w1, roles: [worker], addresses: [10.0.0.21]}\n";
    host.place.write("p.yaml", text);
}

/// A third control-plane node, of two that stay.
pub fn three_masters(host: &Host) {
    cluster(host);
    host.place.write("p.yaml", host.place.read("p.yaml") + "- {name: cp3, addresses: [10.0.0.13]}\n");
    host.sh("kpki renew all --due --profile p.yaml --dir k8s");
    host.sh("kpki init --profile p.yaml --dir k8s").ok();
}

pub const FILE: &[(&str, &str)] = &[("FILE", "word")];

/// The cluster directory's authority is another than its first node's.
pub fn another_tree_beside(host: &Host) {
    host.place.write("another.yaml", single("authorities: {ca: {subject: {O: [Another]}}}\n"));
    host.sh("kpki init --profile another.yaml --dir another").ok();
    put(host, "another/pki/ca.crt", "k8s/nodes/cp1/pki/ca.crt");
    put(host, "another/pki/ca.key", "k8s/nodes/cp1/pki/ca.key");
}
