//! What `kpki rotate prepare` asks for first.

use super::errors::{Row, row, shown};
use super::sites::single;
use super::states::tree;

pub const ROWS: &[Row] = &[
    row(
        "a controller manager that nobody has looked at",
        tree,
        "kpki rotate prepare ca --algorithm ECDSA-P384 --dir k8s",
        &["kpki rotate prepare ca --algorithm ECDSA-P384 --signer-file-in-use --dir k8s"],
    ),
    row(
        "an authority that ends within the waits",
        |host| {
            let short = "caCertificateValidityPeriod: 48h\ncertificateValidityPeriod: 48h\n";
            host.place.write("short.yaml", single(short));
            let at = ["--at", "2026-11-19T16:00:00Z", "--profile", "short.yaml", "--dir", "k8s"];
            host.place.kpki(&[&["init"], &at[..]].concat()).ok();
        },
        "kpki rotate prepare etcd-ca --dir k8s",
        &["kpki renew etcd-ca --dir k8s"],
    ),
    shown(
        "the old authority, given as the new one",
        tree,
        "kpki rotate prepare ca --new-ca k8s/pki/ca.crt --signer-file-in-use --dir k8s",
        &["kpki renew ca --dir k8s"],
    ),
];
