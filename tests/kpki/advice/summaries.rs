//! What reports advise when all went well.

use std::fs;

use super::Host;
use super::errors::{Row, row, shown};
use super::signed;
use super::sites::{Site, single};
use super::states::*;
use crate::harness::{copy_tree, repository};

pub const ROWS: &[Row] = &[
    shown(
        "adopted",
        |host| {
            kubeadms(host, "cp1");
            kubeadms(host, "cp2");
        },
        "kpki adopt cp1 cp2 --dir k8s",
        &["kpki renew cp2/apiserver --dir k8s", "kpki verify --dir k8s", "kpki check-expiration --dir k8s"],
    ),
    shown(
        "adopted with a gap",
        |host| {
            kubeadms(host, "cp1");
            remove(host, "cp1/pki/front-proxy-client.crt");
            remove(host, "cp1/pki/front-proxy-client.key");
        },
        "kpki adopt cp1 --dir k8s",
        &["kpki init --dir k8s", "kpki verify --dir k8s"],
    ),
    shown(
        "restored",
        |host| {
            tree(host);
            host.sh("kpki renew apiserver --dir k8s").ok();
        },
        "kpki restore --dir k8s",
        &["kpki restore 2026"],
    ),
    shown(
        "restored from a backup",
        |host| {
            tree(host);
            host.place.write("pass", "correct horse");
            host.sh("kpki backup --dir k8s --out k8s.kpki --password-file pass").ok();
        },
        "kpki backup restore k8s.kpki --dir new --password-file pass",
        &["kpki verify new"],
    ),
    shown(
        "imported",
        |host| {
            external(host);
            host.sh("kpki csr apiserver --dir k8s").ok();
            signed(host, &host.place.path("k8s"), "safe");
        },
        "kpki import apiserver.pem --dir k8s",
        &["kpki restore 2026"],
    ),
    Row {
        works: false,
        ..row(
            "held and not renewed",
            |host| {
                tree(host);
                host.sh("kpki hold etcd-peer --dir k8s").ok();
            },
            "kpki renew all --dir k8s",
            &["kpki release etcd-peer --dir k8s", "kpki restore"],
        )
    },
    shown("revoked and in use", tree, "kpki revoke etcd-peer --dir k8s", &["kpki renew etcd-peer --dir k8s"]),
    shown(
        "revoked on one node",
        cluster,
        "kpki revoke cp1/etcd-peer --dir k8s",
        &["kpki renew cp1/etcd-peer --dir k8s"],
    ),
    shown("held on one node", cluster, "kpki hold cp1/etcd-peer --dir k8s", &["kpki release cp1/etcd-peer --dir k8s"]),
    shown(
        "unpacked",
        |host| {
            tree(host);
            host.sh("kpki export cp1 --dir k8s --out old.tar").ok();
            host.sh("kpki unpack old.tar --dir n --node cp1").ok();
            host.sh("kpki renew all --dir k8s").ok();
            host.sh("kpki export cp1 --dir k8s --out new.tar").ok();
        },
        "kpki unpack new.tar --dir n --node cp1",
        &["kpki restore 2026", "kpki export --verify cp1 --dir n --receipt", "crictl stop"],
    ),
    shown("renewed", tree, "kpki renew all --dir k8s", &["kpki restore 2026", "crictl stop"]),
    shown(
        "renewed in a cluster directory",
        cluster,
        "kpki renew cp1/apiserver --dir k8s",
        &["kpki export cp1 --out cp1.tar.gz --dir k8s"],
    ),
    shown(
        "a name that was taken out",
        |host| {
            Site::Cluster.make(host, "");
            let text = host.place.read("p.yaml");
            host.place.write("p.yaml", format!("{text}apiServer: {{certSANs: [old.example.com]}}\n"));
            host.sh("kpki renew all --due --profile p.yaml --dir k8s").ok();
            host.place.write("p.yaml", text);
        },
        "kpki renew all --due --profile p.yaml --dir k8s",
        &["kpki renew apiserver --prune-sans --profile p.yaml --dir k8s"],
    ),
    shown(
        "a node was added",
        another_worker,
        "kpki init --profile p.yaml --dir k8s",
        &["kpki export w1 --out w1.tar.gz --dir k8s"],
    ),
    shown(
        "a node was removed",
        three_masters,
        "kpki nodes remove cp3 --dir k8s --revoke",
        &["kpki renew apiserver --prune-sans --dir k8s", "kpki export cp1 --out cp1.tar.gz --dir k8s"],
    ),
    Row {
        fill: &[("FILE", "p.yaml")],
        ..shown(
            "a node was removed and comes back",
            three_masters,
            "kpki nodes remove cp3 --dir k8s",
            &["kpki restore 2026"],
        )
    },
    shown(
        "all of a node revoked",
        cluster,
        "kpki revoke cp1/all --dir k8s",
        &["kpki renew cp1/all --dir k8s", "kpki export cp1 --out cp1.tar.gz --dir k8s"],
    ),
    shown(
        "made without a key",
        |host| {
            external(host);
            remove(host, "k8s/pki/apiserver.crt");
            remove(host, "k8s/pki/apiserver.key");
        },
        "kpki init --dir k8s",
        &["kpki import CERT..."],
    ),
    shown(
        "requested and due",
        |host| {
            external(host);
            host.at("2027-11-01T00:00:00Z");
        },
        "kpki renew apiserver --dir k8s",
        &["kpki import CERT --dir k8s"],
    ),
    Row {
        fill: &[("DIR", "safe")],
        works: false,
        ..row(
            "due on a node without keys",
            |host| {
                external(host);
                host.at("2027-11-01T00:00:00Z");
            },
            "kpki renew all --due --dir k8s --safe-host ops1",
            &["kpki renew all --due --dir DIR && kpki export cp1 --dir DIR --out - | ssh cp1 kpki unpack -"],
        )
    },
    shown(
        "requested before there is a tree",
        |host| {
            tree(host);
            fs::create_dir_all(host.place.path("new/pki/etcd")).unwrap();
            for file in ["ca.crt", "front-proxy-ca.crt", "etcd/ca.crt"] {
                put(host, &format!("safe/pki/{file}"), &format!("new/pki/{file}"));
            }
        },
        "kpki csr apiserver --profile p.yaml --dir new",
        &["kpki import CERT..."],
    ),
    shown("requested elsewhere", tree, "kpki csr apiserver --dir k8s --out 'o u t'", &["kpki import CERT..."]),
    shown(
        "bindings",
        |host| {
            host.place.write("p.yaml", single(""));
        },
        "kpki init --profile p.yaml --dir k8s --bootstrap-manifests 'r b.yaml'",
        &["kubectl --kubeconfig k8s/super-admin.conf apply -f 'r b.yaml'"],
    ),
    shown(
        "a CRL that etcd does not read",
        |host| {
            revoked(host);
            remove(host, "k8s/pki/etcd/ca.crl.der");
        },
        "kpki check-expiration k8s",
        &["kpki crl update etcd-ca --dir k8s"],
    ),
    shown(
        "an export with a CRL that has ended",
        |host| {
            Site::Single.make(host, "crl: {validity: 1m}\n");
            let at = ["--dir", "k8s", "--at", "2026-11-20T21:57:00Z"];
            host.place.kpki(&[&["revoke", "etcd-peer"], &at[..]].concat()).status(0);
        },
        "kpki export cp1 --dir k8s --out cp1.tar >/dev/null",
        &["kpki crl update etcd-ca --dir k8s"],
    ),
];

/// A node that kubeadm made.
fn kubeadms(host: &Host, node: &str) {
    let fixture = repository(&format!("fixtures/kubeadm/v1.36-ha-ecdsa-{node}/etc-kubernetes"));
    copy_tree(&fixture, &host.place.path(node));
}
