//! What is refused of certificates, requests, lists and generations.

use super::errors::{Row, row, shown};
use super::sites::single;
use super::states::*;

pub const ROWS: &[Row] = &[
    Row {
        fill: &[("FILE", "k8s/pki/apiserver.crt")],
        ..shown(
            "a number that nobody knows",
            tree,
            "kpki revoke --serial 77 --authority ca --dir k8s",
            &["kpki inspect FILE"],
        )
    },
    shown("released and revoked", revoked, "kpki release etcd-peer --dir k8s", &["kpki renew etcd-peer"]),
    shown(
        "no CRL in its place",
        |host| {
            tree(host);
            host.place.write("k8s/pki/etcd/ca.crl", "nothing\n");
        },
        "kpki revoke etcd-peer --dir k8s",
        &["kpki crl show k8s/pki/etcd/ca.crl"],
    ),
    shown(
        "imported without a key",
        another_tree,
        "kpki import another/pki/apiserver.crt --as apiserver --dir k8s",
        &["kpki csr apiserver"],
    ),
    shown(
        "imported too late",
        |host| {
            tree(host);
            host.at("2030-01-01T00:00:00Z");
        },
        "kpki import k8s/pki/apiserver.crt --dir k8s",
        &["kpki csr apiserver"],
    ),
    shown(
        "imported without an authority",
        |host| {
            tree(host);
            remove(host, "k8s/pki/ca.crt");
        },
        "kpki import safe/pki/apiserver.crt --dir k8s",
        &["kpki import CERT --as ca"],
    ),
    shown("nothing to import", junk, "kpki import junk --dir k8s", &["kpki inspect junk"]),
    shown(
        "several in one file",
        |host| {
            tree(host);
            let text = host.place.read("k8s/pki/apiserver.crt") + &host.place.read("k8s/pki/etcd/peer.crt");
            host.place.write("two.crt", text);
        },
        "kpki import two.crt --dir k8s",
        &["kpki import CERT..."],
    ),
    shown(
        "the same as a request",
        |host| {
            tree(host);
            remove(host, "k8s/super-admin.conf");
        },
        "kpki csr all --dir k8s",
        &["kpki csr super-admin.conf --dir k8s", "kpki import CERT..."],
    ),
    shown("no such generation", tree, "kpki restore nothing --dir k8s", &["kpki history --dir k8s"]),
    shown("nothing but made", tree, "kpki restore --dir k8s", &["kpki restore 2026"]),
    Row {
        works: false,
        ..row(
            "revoked since",
            |host| {
                tree(host);
                host.sh("kpki revoke etcd-peer --dir k8s").ok();
                host.at("2026-11-20T22:10:00Z");
                host.sh("kpki renew etcd-peer --dir k8s").ok();
            },
            "kpki restore --dir k8s",
            &["kpki history --dir k8s", "kpki restore 2026"],
        )
    },
    shown("nothing to sign", junk, "kpki sign junk --usage client --dir k8s", &["kpki inspect junk"]),
    shown(
        "a trust bundle of a key",
        tree,
        "kpki convert k8s/pki/sa.pub --as kube-root-ca",
        &["kpki inspect k8s/pki/sa.pub"],
    ),
    shown("junk that is sought", junk, "kpki rotate scan k8s --old junk", &["kpki inspect junk"]),
    shown("no CRL", junk, "kpki crl show junk", &["kpki inspect junk"]),
    shown(
        "no request for a user",
        junk,
        "kpki kubeconfig user jane --group dev --csr junk --dir k8s",
        &["kpki inspect junk"],
    ),
    shown(
        "an entry of an external authority",
        |host| {
            let lb = "extraCertificates:\n- {name: lb, authority: external, usages: [server], certSANs: [lb.example.com], path: lb}\n";
            host.place.write("p.yaml", single(lb));
            host.sh("kpki init --profile p.yaml --dir k8s");
            host.sh("kpki csr etcd-peer --dir k8s --out out").ok();
        },
        "kpki sign out/pki/etcd/peer.csr --as lb --dir k8s",
        &["kpki csr lb --dir k8s"],
    ),
    Row {
        fill: &[("FILE...", "loose/junk")],
        ..shown(
            "nothing to convert",
            |host| {
                host.place.write("loose/junk", "nothing\n");
            },
            "kpki convert loose --to der --out out",
            &["kpki inspect FILE..."],
        )
    },
    Row {
        fill: &[("CERT", "owner/pki/ca.crt")],
        ..shown(
            "an authority with its issuer",
            issuer,
            "kpki init --profile p.yaml --dir c",
            &["kpki import CERT --as ca --profile p.yaml --dir c"],
        )
    },
    Row {
        fill: &[("CERT", "owner/pki/ca.crt")],
        ..shown(
            "an authority with its issuer, to renew",
            |host| {
                issuer(host);
                host.sh("kpki import owner/pki/ca.crt --as ca --profile p.yaml --dir c").ok();
                host.sh("kpki init --profile p.yaml --dir c");
                std::fs::remove_file(host.place.path("c/pki/ca.crt")).unwrap();
            },
            "kpki renew cp1/apiserver --dir c",
            &["kpki import CERT --as ca --dir c"],
        )
    },
    shown("requested by name", external, "kpki renew apiserver --dir k8s --dry-run", &["kpki csr apiserver --dir k8s"]),
    shown(
        "imported unlike its request",
        |host| {
            tree(host);
            host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
        },
        "kpki import k8s/pki/apiserver.crt --profile p.yaml --dir k8s",
        &["kpki inspect k8s/pki/apiserver.crt"],
    ),
    shown(
        "one half was kept",
        |host| {
            tree(host);
            host.sh("kpki renew apiserver --dir k8s").ok();
            remove(host, "k8s/.kpki/generations/20261120T220000Z-renew/main/pki/apiserver.key");
            let record = "k8s/.kpki/generations/20261120T220000Z-renew/generation.json";
            let mut value: serde_json::Value = serde_json::from_str(&host.place.read(record)).unwrap();
            value["kept"].as_array_mut().unwrap().retain(|file| file["path"] != "pki/apiserver.key");
            host.place.write(record, value.to_string());
        },
        "kpki restore --dir k8s",
        &["kpki renew apiserver --dir k8s", "kpki history --dir k8s"],
    ),
];

/// Its owner, and a profile by which it is with an issuer that issues nothing.
fn issuer(host: &crate::advice::Host) {
    host.place.write("owner.yaml", single(""));
    host.sh("kpki init --profile owner.yaml --dir owner").ok();
    host.place.write("p.yaml", single("caKeys: none\nauthorities: {ca: {issuer: [/bin/false]}}\n"));
}
