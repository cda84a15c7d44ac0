//! What reports advise when all went well.

use std::fs;

use super::errors::{Row, row, shown};
use super::signed;
use super::sites::{Site, single};
use super::states::*;

pub const ROWS: &[Row] = &[
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
