//! What `kpki rotate switch` and `kpki rotate retire` wait for.

use super::Host;
use super::errors::{Row, row};
use super::states::tree;

/// The service account key is prepared, and the wait is over.
fn prepared(host: &Host) {
    tree(host);
    host.sh("kpki rotate prepare sa --dir k8s").ok();
    host.at("2026-11-21T22:00:00Z");
}

/// The node's receipt, with components that run with what is there.
fn receipt(host: &Host) {
    let said = host.sh("kpki export --verify cp1 --receipt -o json --dir k8s");
    let mut receipt: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    for one in receipt["components"].as_array_mut().unwrap() {
        one["running"] = "yes".into();
    }
    host.place.write("cp1.json", receipt.to_string());
}

pub const ROWS: &[Row] = &[Row {
    before: receipt,
    ..row(
        "a switch that nodes have not confirmed",
        prepared,
        "kpki rotate switch --dir k8s",
        &[
            "kpki rotate confirm cp1 --receipt cp1.json --dir k8s",
            "kpki rotate confirm cp1 --dir k8s",
            "kpki rotate switch sa --confirm-all --dir k8s",
        ],
    )
}];
