//! Prometheus's own checker reads what check-expiration writes for the textfile collector.

use std::process::Stdio;

use crate::support::{kpki, program, project, run, scratch};

/// `promtool check metrics` reads stdin; it complains about lint, too.
fn check_metrics(text: &str) {
    let dir = scratch();
    let file = dir.path().join("kpki.prom");
    std::fs::write(&file, text).unwrap();
    let output = program("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::from(std::fs::File::open(&file).unwrap()))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success() && said.trim().is_empty(), "{said}\n{text}");
}

#[test]
fn metrics_pass_promtool() {
    for folder in ["v1.20-rsa2048", "v1.36-default-rsa2048", "v1.36-expired", "v1.36-external-ca", "v1.36-generate-csr"]
    {
        let tree = project("fixtures/kubeadm").join(folder).join("etc-kubernetes");
        let words = ["check-expiration", "--at", "2026-12-01", "-o", "prometheus", "--exit-zero"];
        let ran = run(kpki().args(words).arg(tree)).expect_ok(folder);
        check_metrics(&ran.out);
    }
}
