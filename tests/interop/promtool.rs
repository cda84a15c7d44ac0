//! Prometheus's own checker reads what check-expiration writes for the textfile collector.

use std::process::Stdio;

use crate::support::{SMALL, kpki, program, project, run, scratch};

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

/// The alerts over series as time passes.
#[test]
fn the_rules_fire_when_they_should_and_only_then() {
    let rules = project("deploy/prometheus/kpki.rules.yml");
    run(program("promtool").args(["check", "rules", "--lint-fatal"]).arg(&rules)).expect_ok("check rules");
    let tests = project("deploy/prometheus/tests/kpki.test.yml");
    run(program("promtool").args(["test", "rules"]).arg(&tests)).expect_ok("test rules");
    // Every alert is in a test, and a rule that does not fire is found out.
    let (text, tested) = (std::fs::read_to_string(&rules).unwrap(), std::fs::read_to_string(&tests).unwrap());
    let alerts: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() >= 13 && alerts.iter().all(|name| tested.contains(name)), "{alerts:?}");
    let place = scratch();
    std::fs::create_dir(place.path().join("tests")).unwrap();
    std::fs::write(place.path().join("tests/kpki.test.yml"), tested).unwrap();
    for (name, (old, new)) in [
        ("KpkiCertificateExpired", ("state=\"expired\"", "state=\"Expired\"")),
        ("KpkiMetricsStale", ("2 * 86400", "200 * 86400")),
        ("KpkiRotationWaits", ("14 * 86400", "140 * 86400")),
    ] {
        assert!(text.contains(old), "{name}");
        std::fs::write(place.path().join("kpki.rules.yml"), text.replace(old, new)).unwrap();
        let ran = run(program("promtool").args(["test", "rules"]).arg(place.path().join("tests/kpki.test.yml")));
        assert!(!ran.ok() && ran.out.contains("FAILED") | ran.err.contains("FAILED"), "{name}: {ran:?}");
    }
    // Each has a runbook that exists.
    let runbooks = std::fs::read_to_string(project("docs/alerts.md")).unwrap();
    for name in alerts {
        assert!(text.contains(&format!("runbook_url: docs/alerts.md#{}\n", name.to_lowercase())), "{name}");
        assert!(runbooks.contains(&format!("\n## {name}\n")), "{name}");
    }
}

/// Every metric that a rule asks for is one that kpki writes, with the labels that the rule names.
#[test]
fn the_rules_ask_for_what_there_is() {
    let tree = project("fixtures/kubeadm/v1.36-expired/etc-kubernetes");
    let ran = run(kpki().args(["check-expiration", "-o", "prometheus", "--exit-zero"]).arg(tree)).expect_ok("metrics");
    let place = scratch();
    std::fs::write(place.path().join("c.yaml"), SMALL).unwrap();
    run(kpki().current_dir(place.path()).args(["init", "--profile", "c.yaml", "--dir", "c"])).expect_ok("init");
    let rotation = run(kpki().current_dir(place.path()).args(["rotate", "status", "--dir", "c", "-o", "prometheus"]));
    let written = ran.out + &rotation.out;
    let rules = std::fs::read_to_string(project("deploy/prometheus/kpki.rules.yml")).unwrap();
    let words = rules.lines().filter(|line| line.trim().starts_with("expr: "));
    let names: std::collections::BTreeSet<&str> = words
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| word.starts_with("kpki_") || word.starts_with("x509_"))
        .collect();
    // Of no rotation and no CRL there is a series here; that they exist is seen in tests of their own.
    let elsewhere =
        ["kpki_rotation_nodes_unconfirmed", "kpki_rotation_phase_start_timestamp_seconds", "x509_crl_next_update"];
    for name in names.iter().filter(|name| !elsewhere.contains(name)) {
        let series = written.lines().find(|line| line.starts_with(&format!("{name}{{")));
        assert!(
            series.is_some_and(|line| line.contains("cluster=\"") && line.contains("node=\"")),
            "{name}\n{written}"
        );
    }
    assert!(names.len() >= 9, "{names:?}");
}
