//! What is refused of a tree and its profile.

use std::fs;

use super::errors::{Row, row, shown};
use super::sites::{Site, single};
use super::states::*;

pub const ROWS: &[Row] = &[
    Row {
        after: |host| drop(host.sh("kpki init --profile cluster.yaml --dir k8s").ok()),
        works: false,
        ..row("no profile", |_| {}, "kpki init --dir k8s", &["kpki profile new"])
    },
    Row {
        works: false,
        ..row(
            "one node of a cluster directory made alone",
            cluster,
            "kpki init --node cp1 --dir k8s",
            &["kpki export cp1 --out cp1.tar.gz --dir k8s"],
        )
    },
    row("a private key in ca.crt", key_in_certificate, "kpki init --dir k8s", &["kpki import k8s/pki/ca.crt --as ca"]),
    row("the same, to renew", key_in_certificate, "kpki renew all --dir k8s", &["kpki import k8s/pki/ca.crt --as ca"]),
    Row {
        fill: &[("CERT", "root-signed.crt")],
        before: |host| {
            let csr = "k8s/.kpki/requests/pki/ca.csr --intermediate --as ca --profile p.yaml --dir k8s --validity 5y";
            let root = "--ca-cert root/pki/ca.crt --ca-key root/pki/ca.key";
            host.sh(&format!("kpki sign {csr} {root} --out root-signed.crt")).ok();
        },
        ..row(
            "an authority that was requested",
            |host| {
                host.place.write("p.yaml", single(""));
                host.sh("kpki init --profile p.yaml --dir root").ok();
                host.sh("kpki csr ca --profile p.yaml --dir k8s").ok();
            },
            "kpki init --profile p.yaml --dir k8s",
            &["kpki import CERT --profile p.yaml --dir k8s", "mv k8s/.kpki/requests/pki/ca.key "],
        )
    },
    Row {
        fill: &[("CERT", "root-signed.crt")],
        before: |host| {
            let csr = "k8s/.kpki/requests/pki/ca.csr --intermediate --as ca --profile p.yaml --dir k8s --validity 5y";
            let root = "--ca-cert root/pki/ca.crt --ca-key root/pki/ca.key";
            host.sh(&format!("kpki sign {csr} {root} --out root-signed.crt")).ok();
        },
        works: false,
        ..row(
            "an authority that was requested, to renew",
            |host| {
                host.place.write("p.yaml", single(""));
                host.sh("kpki init --profile p.yaml --dir root").ok();
                host.sh("kpki csr ca --profile p.yaml --dir k8s").ok();
            },
            "kpki renew all --due --profile p.yaml --dir k8s",
            &["kpki import CERT --profile p.yaml --dir k8s"],
        )
    },
    row(
        "requested and made here",
        |host| {
            tree(host);
            host.sh("kpki csr apiserver --dir k8s").ok();
        },
        "kpki renew apiserver --dir k8s",
        &["kpki import CERT..."],
    ),
    row(
        "requests before they are recorded",
        another_name,
        "kpki init --profile p.yaml --dir k8s",
        &["kpki csr apiserver --profile p.yaml", "kpki import CERT..."],
    ),
    row(
        "a name that was added",
        |host| {
            tree(host);
            host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki renew all --due --profile p.yaml --dir k8s"],
    ),
    row(
        "another endpoint",
        |host| {
            cluster(host);
            host.place.write("p.yaml", host.place.read("p.yaml").replace("api.example.com", "new.example.com"));
            host.sh("kpki renew all --due --prune-sans --profile p.yaml --dir k8s").ok();
            host.place
                .write("p.yaml", host.place.read("p.yaml").replace("new.example.com:6443", "new.example.com:8443"));
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki renew all --due --profile p.yaml --dir k8s"],
    ),
    row(
        "a name that was added, for an export",
        |host| {
            tree(host);
            host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
            host.sh("kpki init --profile p.yaml --dir k8s");
        },
        "kpki export cp1 --dir k8s --out cp1.tar",
        &["kpki renew all --due --dir k8s"],
    ),
    row(
        "a profile that is not recorded",
        |host| {
            tree(host);
            host.place.write("p.yaml", single("apiServer: {certSANs: [more.example.com]}\n"));
        },
        "kpki renew apiserver --profile p.yaml --dir k8s",
        &["kpki init --profile p.yaml --dir k8s"],
    ),
    row(
        "a node without a tree",
        another_worker,
        "kpki renew all --due --profile p.yaml --dir k8s",
        &["kpki init --profile p.yaml --dir k8s"],
    ),
    row(
        "a node that has left the profile",
        |host| {
            cluster(host);
            fs::create_dir(host.place.path("k8s/nodes/w9")).unwrap();
            host.place.write("k8s/nodes/w9/kubelet.conf", "nothing\n");
        },
        "kpki init --dir k8s",
        &["kpki nodes remove w9 --dir k8s"],
    ),
    row(
        "others may read a key",
        |host| {
            tree(host);
            host.sh("chmod 644 k8s/pki/apiserver.key").ok();
        },
        "kpki init --dir k8s",
        &["chmod 600 k8s/pki/apiserver.key"],
    ),
    row(
        "another algorithm",
        |host| {
            tree(host);
            host.place.write("p.yaml", crate::harness::single("encryptionAlgorithm: ECDSA-P384\n"));
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki renew all --profile p.yaml"],
    ),
    Row { fill: FILE, ..row("a locked key", locked, "kpki renew all --dir k8s", &["kpki key expose ca --yes"]) },
    Row {
        fill: FILE,
        ..row("a locked key, to revoke", locked, "kpki revoke apiserver --dir k8s", &["kpki key expose ca --yes"])
    },
    shown(
        "UTF-16",
        |host| {
            let text: Vec<u8> = single("").encode_utf16().flat_map(u16::to_le_bytes).collect();
            host.place.write("p q.yaml", [&[0xff, 0xfe], text.as_slice()].concat());
        },
        "kpki init --profile 'p q.yaml' --dir k8s",
        &["iconv -f"],
    ),
    row(
        "missing for an export",
        |host| {
            tree(host);
            remove(host, "k8s/pki/apiserver.crt");
            remove(host, "k8s/pki/apiserver.key");
        },
        "kpki export cp1 --dir k8s --out cp1.tar",
        &["kpki init --dir k8s"],
    ),
    Row {
        fill: &[("GENERATION", "20261120T220000Z-renew")],
        ..row(
            "different for an export",
            |host| {
                tree(host);
                host.sh("kpki renew etcd-peer --dir k8s").ok();
                put(host, "safe/pki/apiserver.key", "k8s/pki/front-proxy-client.key");
                remove(host, "k8s/pki/apiserver.crt");
                remove(host, "k8s/pki/apiserver.key");
            },
            "kpki export cp1 --dir k8s --out cp1.tar",
            &["kpki history", "kpki restore GENERATION", "kpki init --force"],
        )
    },
    shown(
        "a cluster directory verified",
        cluster,
        "kpki export --verify cp1 --dir k8s",
        &["kpki export --verify cp1 --dir k8s/nodes/cp1"],
    ),
    row(
        "another issuer's",
        |host| {
            another_tree(host);
            put(host, "another/pki/apiserver.crt", "k8s/pki/apiserver.crt");
            put(host, "another/pki/apiserver.key", "k8s/pki/apiserver.key");
        },
        "kpki renew apiserver --dir k8s",
        &["kpki init --force --dir k8s"],
    ),
    row(
        "missing and made by name",
        |host| {
            tree(host);
            remove(host, "k8s/super-admin.conf");
        },
        "kpki renew all --dir k8s",
        &["kpki renew super-admin.conf --dir k8s"],
    ),
    row(
        "another authority on a node",
        |host| {
            cluster(host);
            another_tree_beside(host);
        },
        "kpki renew all --dir k8s",
        &["kpki init --force --dir k8s"],
    ),
    row(
        "an authority that has expired",
        |host| {
            tree(host);
            host.at("2040-01-01T00:00:00Z");
        },
        "kpki renew all --due --dir k8s",
        &["kpki renew ca --dir k8s"],
    ),
    row(
        "an authority that ends with all it signed",
        |host| {
            tree(host);
            host.at("2036-10-01T00:00:00Z");
            drop(host.sh("kpki renew all --dir k8s"));
            host.at("2036-11-10T00:00:00Z");
        },
        "kpki renew all --due --dir k8s",
        &["kpki renew ca --dir k8s"],
    ),
    shown("an authority of a node", three_masters, "kpki renew cp1/ca --dir k8s", &["kpki renew ca --dir k8s"]),
    // Without the command that takes it back, which is run by others.
    Row {
        before: |host| drop(host.sh("kpki renew ca etcd-ca front-proxy-ca --dir k8s")),
        ..shown(
            "an authority that was renewed too late",
            |host| {
                tree(host);
                host.at("2040-01-01T00:00:00Z");
            },
            "kpki renew ca etcd-ca front-proxy-ca --dry-run --dir k8s",
            &["kpki renew all --due --dir k8s"],
        )
    },
    Row {
        fill: &[("SPAN", "30y")],
        ..shown(
            "an authority that would end earlier",
            tree,
            "kpki renew ca --validity 1d --dir k8s",
            &["kpki renew ca --validity SPAN --dir k8s"],
        )
    },
    Row {
        fill: &[("DIR", "safe"), ("CERT", "safe/pki/ca.crt")],
        ..shown(
            "an authority without its key, to renew",
            |host| {
                tree(host);
                crate::harness::copy_tree(&host.place.path("k8s"), &host.place.path("safe"));
                remove(host, "k8s/pki/ca.key");
            },
            "kpki renew ca --dir k8s",
            &["kpki renew ca --dir DIR", "kpki import CERT --as ca --dir k8s"],
        )
    },
    row(
        "others may write the profile",
        |host| {
            host.place.write("p.yaml", single(""));
            host.sh("chmod 666 p.yaml").ok();
        },
        "kpki init --profile p.yaml --dir k8s",
        &["chmod go-w "],
    ),
    shown(
        "a profile with a mistake",
        |host| {
            host.place.write("p.yaml", "apiVersion: kpki/v1\nkind: ClusterProfile\nnode: []\n");
        },
        "kpki init --profile p.yaml --dir k8s",
        &["kpki profile new"],
    ),
    shown("no such page", |_| {}, "kpki generate man nothing", &["kpki generate man"]),
    Row {
        before: |host| remove(host, "k8s/scheduler.conf"),
        ..row(
            "files that are missing",
            |host| {
                super::faults::in_one_file(&Site::Single.make(host, "").remove(0));
                remove(host, "k8s/client.pem");
            },
            "kpki renew scheduler.conf --dir k8s",
            &["kpki renew scheduler.conf --dir k8s"],
        )
    },
    shown("a profile that is a directory", tree, "kpki init --profile k8s --dir k8s", &["kpki profile new"]),
];
