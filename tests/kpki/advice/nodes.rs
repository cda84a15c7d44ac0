//! What is advised on the host with the cluster directory, about its nodes.

use super::Host;
use super::errors::{Row, row, shown};
use super::states::{cluster, tree};

/// On a node the directory is /etc/kubernetes, and its name the machine's.
const THERE: &[(&str, &str)] = &[
    ("--verify --receipt", "--verify cp1 --receipt"),
    ("--verify cp1 --receipt -o json", "--verify cp1 --receipt -o json --dir k8s/nodes/cp1"),
    ("--verify cp2 --receipt -o json", "--verify cp2 --receipt -o json --dir k8s/nodes/cp2"),
];

/// The receipt of cp1, as r.json.
fn receipt(host: &Host) {
    host.sh("kpki export --verify cp1 --receipt -o json --dir k8s/nodes/cp1 > r.json").ok();
}

fn edited(host: &Host, from: &str, to: &str) {
    let text = host.place.read("r.json");
    assert!(text.contains(from), "{from} is not in {text}");
    host.place.write("r.json", text.replacen(from, to, 1));
}

fn with_receipt(host: &Host) {
    cluster(host);
    receipt(host);
}

/// cp1 has a list that was not signed here.
fn with_list(host: &Host) {
    cluster(host);
    host.sh("cp -R k8s other && kpki crl update ca --dir other").ok();
    host.sh("kpki export --verify cp1 --receipt -o json --dir other/nodes/cp1 > r.json").ok();
}

/// The same, as an earlier kpki says it, or as one whose list is too large.
fn with_list_left_out(host: &Host, too_large: bool) {
    with_list(host);
    let mut receipt: serde_json::Value = serde_json::from_str(&host.place.read("r.json")).unwrap();
    let list = receipt["lists"][0].as_object_mut().unwrap();
    assert!(list.remove("crl").is_some());
    list.insert("crlLeftOut".to_owned(), too_large.into());
    host.place.write("r.json", receipt.to_string());
    host.sh("cp r.json cp1.json && cp other/pki/ca.crl cp1-ca.crl").ok();
}

/// cp1 and the safe host have each signed a list after the last archive.
fn two_lists(host: &Host) {
    cluster(host);
    host.sh("cp -R k8s other && kpki crl update ca --dir other && kpki hold cp1/admin.conf --dir k8s").ok();
    host.sh("kpki export cp1 --dir other --out old.tar && kpki unpack old.tar --dir n --node cp1").ok();
    host.sh("kpki export cp1 --dir k8s --out new.tar").ok();
}

/// On a node, and not on this machine.
const UNPACKED: &[(&str, &str)] = &[("--keep-newer", "--keep-newer --dir n --node cp1")];

/// cp1 has its files in n, and has renewed one of them itself, an hour later.
fn renewed(host: &Host) {
    cluster(host);
    host.sh("kpki export cp1 --dir k8s --out cp1.tar && kpki unpack cp1.tar --dir n --node cp1").ok();
    host.at("2026-11-20T23:00:00Z");
    host.sh("kpki renew scheduler.conf --dir n").ok();
}

/// cp1 has renewed its apiserver, and its receipt was accepted.
fn renewed_there(host: &Host) {
    cluster(host);
    host.at("2026-11-20T22:05:00Z");
    host.sh("cp -R k8s other && kpki renew cp1/apiserver --dir other").ok();
    host.sh("kpki export --verify cp1 --receipt -o json --dir other/nodes/cp1 > r.json").ok();
    host.sh("kpki nodes merge r.json --dir k8s").ok();
    host.at("2026-11-20T22:10:00Z");
}

pub const ROWS: &[Row] = &[
    Row {
        fill: THERE,
        ..shown(
            "no receipt",
            |host| {
                cluster(host);
                host.place.write("r.json", "{}\n");
            },
            "kpki nodes merge r.json --dir k8s",
            &["kpki export --verify --receipt"],
        )
    },
    Row {
        fill: THERE,
        ..shown(
            "a receipt of another cluster",
            |host| {
                with_receipt(host);
                edited(host, "\"kind\"", "\"clusterName\": \"another\", \"was\": null, \"kind\"");
                let text = host.place.read("r.json");
                let line = text
                    .lines()
                    .rfind(|line| line.trim_start().starts_with("\"clusterName\": null"))
                    .unwrap_or_default();
                host.place.write("r.json", text.replace(line, ""));
            },
            "kpki nodes merge r.json --dir k8s",
            &["kpki export --verify --receipt"],
        )
    },
    row(
        "the nodes of one node's tree",
        tree,
        "kpki nodes --dir k8s || kpki history --dir k8s",
        &["kpki check-expiration --dir k8s"],
    ),
    shown(
        "a node without a receipt",
        cluster,
        "kpki nodes --dir k8s",
        &["kpki export cp1 --dir k8s --out - | ssh cp1 kpki unpack -"],
    ),
    Row {
        fill: THERE,
        ..shown(
            "a node that was shipped",
            |host| {
                cluster(host);
                for node in ["cp1", "cp2", "w1"] {
                    let command = format!("kpki export {node} --dir k8s --out {node}.tar");
                    if host.place.path(&format!("k8s/nodes/{node}")).is_dir() {
                        host.sh(&command).ok();
                    }
                }
            },
            "kpki nodes --dir k8s",
            &["kpki export --verify cp1 --receipt -o json"],
        )
    },
    shown(
        "a receipt to be merged",
        with_list,
        "kpki nodes --dir k8s --receipt r.json",
        &["kpki nodes merge r.json --dir k8s"],
    ),
    Row {
        fill: THERE,
        ..shown(
            "a receipt that contradicts",
            |host| {
                with_list(host);
                host.sh("mv k8s/pki/ca.key k && kpki nodes merge r.json --dir k8s; test $? = 5 && mv k k8s/pki/ca.key")
                    .ok();
            },
            "kpki nodes --dir k8s",
            &["kpki export --verify cp1 --receipt -o json"],
        )
    },
    Row {
        fill: THERE,
        ..shown(
            "renewed on its node",
            |host| {
                renewed_there(host);
                host.sh("kpki crl update ca --dir k8s").ok();
            },
            "kpki nodes --dir k8s",
            &["kpki renew cp1/apiserver --dir k8s", "kpki export cp1 --dir k8s --out - | ssh cp1 kpki unpack -"],
        )
    },
    row(
        "a list that a node has signed",
        with_list,
        "kpki nodes merge r.json --dir k8s",
        &["kpki export cp1 --dir k8s --out - | ssh cp1 kpki unpack -"],
    ),
    Row {
        fill: UNPACKED,
        ..shown(
            "one that its node has renewed",
            |host| {
                renewed_there(host);
            },
            "kpki export cp1 --dir k8s --out a.tar",
            &[
                "kpki renew cp1/apiserver --dir k8s",
                "kpki nodes --dir k8s",
                "kpki export cp1 --older --out cp1.tar.gz --dir k8s",
            ],
        )
    },
    Row {
        fill: &[("--receipt -o json", "--receipt -o json --dir other/nodes/cp1 > r.json")],
        ..row(
            "a list that is not in its receipt",
            |host| with_list_left_out(host, false),
            "kpki nodes merge r.json --dir k8s",
            &["kpki export --verify cp1 --receipt -o json"],
        )
    },
    row(
        "a list that is too large for its receipt",
        |host| with_list_left_out(host, true),
        "kpki nodes merge cp1.json --dir k8s",
        &["kpki nodes merge cp1.json --crl cp1-ca.crl --dir k8s"],
    ),
    Row {
        fill: &[("-o json --dir n", "-o json --dir n > cp1.json"), ("DIR", "k8s")],
        after: |host| {
            host.sh("mv cp1.tar.gz new.tar").ok();
        },
        ..row(
            "an archive with another list",
            two_lists,
            "kpki unpack new.tar --dir n --node cp1",
            &[
                "kpki export --verify cp1 --receipt -o json --dir n",
                "kpki nodes merge cp1.json --dir DIR",
                "kpki export cp1 --dir DIR --out cp1.tar.gz",
            ],
        )
    },
    Row {
        fill: UNPACKED,
        ..row(
            "older than on the node",
            |host| {
                with_list(host);
                host.sh("mv k8s/pki/ca.key k && kpki nodes merge r.json --dir k8s; test $? = 5 && mv k k8s/pki/ca.key")
                    .ok();
            },
            "kpki export cp1 --dir k8s --out a.tar --force || kpki export cp1 --dir k8s --out a.tar --force --older -q",
            &["kpki nodes --dir k8s", "kpki export cp1 --older --out cp1.tar.gz --dir k8s"],
        )
    },
    Row {
        fill: UNPACKED,
        ..row(
            "renewed on the node",
            |host| {
                renewed(host);
                host.sh("kpki export --verify cp1 --receipt -o json --dir n > r.json").ok();
                host.sh("kpki nodes merge r.json --dir k8s").ok();
            },
            "kpki export cp1 --dir k8s --out a.tar --force || kpki export cp1 --dir k8s --out a.tar --force --older -q",
            &[
                "kpki renew cp1/scheduler.conf --dir k8s",
                "kpki export cp1 --older --out cp1.tar.gz --dir k8s",
                "kpki unpack cp1.tar.gz --keep-newer",
            ],
        )
    },
    Row {
        fill: &[("--dir DIR", "--dir k8s")],
        ..row(
            "unpacked where it was renewed",
            renewed,
            "kpki unpack cp1.tar --dir n --node cp1",
            &[
                "kpki unpack cp1.tar --keep-newer --dir n --node cp1",
                "kpki export cp1 --dir DIR --out cp1.tar.gz",
                "kpki unpack cp1.tar --force --dir n --node cp1",
            ],
        )
    },
];
