//! A Prometheus that scrapes what kpki writes: the alerts of deploy/ fire over it, and every query of the dashboard has an answer.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ran, SMALL, Server, free_port, kpki, program, project, run, scratch, within, write};

/// An expired tree, and a cluster in the middle of a rotation, as one set of series.
fn series(dir: &Path) -> String {
    write(dir.join("c.yaml"), SMALL);
    let said = |words: &[&str]| -> Ran {
        let ran = run(kpki().current_dir(dir).args(words));
        assert!(matches!(ran.code, Some(0 | 3 | 4)), "{words:?}: {ran:?}");
        ran
    };
    said(&["init", "--profile", "c.yaml", "--dir", "c"]);
    said(&["crl", "update", "all", "--dir", "c"]);
    said(&["rotate", "prepare", "etcd-ca", "--dir", "c"]);
    let expired = project("fixtures/kubeadm/v1.36-expired/etc-kubernetes");
    let expired = expired.to_str().unwrap();
    let check = said(&["check-expiration", "-o", "prometheus", "c", expired]).out;
    check + &said(&["rotate", "status", "-o", "prometheus", "--dir", "c"]).out
}

struct Scraped {
    url: String,
    _servers: [Server; 2],
}

impl Scraped {
    /// Until the first sample and the first evaluation of the rules are there.
    fn of(dir: &Path, metrics: &str) -> Self {
        write(dir.join("served/metrics"), metrics);
        let (from, to) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
        let mut files = program("python3");
        files.args(["-m", "http.server", "--bind", "127.0.0.1", &from.to_string()]).arg("--directory");
        let mut files = Server::start(files.arg(dir.join("served")), dir.join("python.log"));
        files.listening(("127.0.0.1", from));
        let rules = project("deploy/prometheus/kpki.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{}]\nscrape_configs:\n\
             - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{from}']}}]}}\n",
            rules.display()
        );
        write(dir.join("prometheus.yml"), config);
        let mut server = program("prometheus");
        server.arg(format!("--config.file={}", dir.join("prometheus.yml").display()));
        server.arg(format!("--storage.tsdb.path={}", dir.join("data").display()));
        server.arg(format!("--web.listen-address=127.0.0.1:{to}"));
        let mut server = Server::start(&mut server, dir.join("prometheus.log"));
        server.listening(("127.0.0.1", to));
        let scraped = Self { url: format!("http://127.0.0.1:{to}"), _servers: [files, server] };
        let ready = || scraped.ask("ALERTS{alertname=\"KpkiCertificateExpired\"}").contains(" => ");
        assert!(within(Duration::from_secs(120), ready), "no alert: {}", scraped.ask("up"));
        scraped
    }

    fn ask(&self, query: &str) -> String {
        let ran = run(program("promtool").args(["query", "instant", &self.url, query]));
        // It is asked before the server is ready, too.
        if ran.ok() { ran.out } else { format!("refused: {} {}", ran.out, ran.err) }
    }
}

/// Every query of the dashboard, as Grafana asks it when all is chosen.
fn queries(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap().replace("$cluster", ".*").replace("$node", ".*")).collect()
}

#[test]
fn every_query_of_the_dashboard_has_an_answer_and_what_has_expired_alerts() {
    let place = scratch();
    let metrics = series(place.path());
    let scraped = Scraped::of(place.path(), &metrics);
    let text = std::fs::read_to_string(project("deploy/grafana/kpki.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let queries = queries(&dashboard);
    assert!(queries.len() >= 12, "{queries:?}");
    for query in &queries {
        let answer = scraped.ask(query);
        assert!(answer.contains(" => "), "{query}: {answer}");
    }
    // What is no metric of ours has no answer.
    assert!(!scraped.ask("kpki_certificate").contains(" => "));
    let expired = scraped.ask("sum by (cluster) (kpki_certificates{state=\"expired\"}) >= 11");
    assert!(expired.contains(" => "), "{expired}");
    for alert in ["KpkiCertificateExpired", "KpkiCertificateEndsInThreeDays"] {
        let firing = scraped.ask(&format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}"));
        assert!(firing.contains(" => 1 "), "{alert}: {firing}");
    }
    assert!(!scraped.ask("ALERTS{alertname=\"KpkiMetricsStale\"}").contains(" => "));
}

#[test]
fn the_dashboard_is_sound() {
    let text = std::fs::read_to_string(project("deploy/grafana/kpki.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let cells = |panel: &Value| ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_i64().unwrap());
    for (i, panel) in panels.iter().enumerate() {
        let [x, y, w, h] = cells(panel);
        assert!(x + w <= 24, "{panel}");
        for other in &panels[..i] {
            assert_ne!(other["id"], panel["id"]);
            let [a, b, c, d] = cells(other);
            assert!(
                x + w <= a || a + c <= x || y + h <= b || b + d <= y,
                "{} lies over {}",
                panel["title"],
                other["title"]
            );
        }
    }
    let variables: Vec<&str> =
        dashboard["templating"]["list"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for variable in text.split("=~\\\"$").skip(1).map(|rest| rest.split('\\').next().unwrap()) {
        assert!(variables.contains(&variable), "{variable}");
    }
}
