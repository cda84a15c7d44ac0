//! `kpki check-expiration` over the trees real kubeadm made, held against what kubeadm said of the same trees.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::expect::recorded;
use super::harness::{Place, Run, copy_tree, repository, single, text};
use super::metrics::metrics;
use super::schema;

const FOLDERS: &[&str] = &[
    "v1.20-rsa2048",
    "v1.36-default-rsa2048",
    "v1.36-dualstack-p384",
    "v1.36-expired",
    "v1.36-external-ca",
    "v1.36-external-etcd-rsa3072",
    "v1.36-ha-ecdsa-cp1",
    "v1.36-ha-ecdsa-cp2",
    "v1.36-renewed",
];

fn fixture(folder: &str, file: &str) -> String {
    fs::read_to_string(repository("fixtures/kubeadm").join(folder).join(file)).unwrap().trim().to_owned()
}

/// kpki over a fixture, at the instant kubeadm looked at it; paths are relative, so that output is the same everywhere.
fn check(folder: &str, words: &[&str]) -> Run {
    check_at(folder, &fixture(folder, "made-at"), words)
}

fn check_at(folder: &str, at: &str, words: &[&str]) -> Run {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm").join(folder).join("etc-kubernetes"), &place.path("k8s"));
    place.kpki(&[&["check-expiration", "k8s", "--at", at], words].concat())
}

/// Names, dates, caName, externallyManaged, missing and residualTime are kubeadm's, for every item kubeadm lists.
#[test]
fn json_says_what_kubeadm_says() {
    let mut compared = 0;
    for folder in FOLDERS.iter().filter(|folder| **folder != "v1.20-rsa2048") {
        let theirs: Value = serde_json::from_str(&fixture(folder, "check-expiration.json")).unwrap();
        let ours = check(folder, &["-o", "json", "--exit-zero"]).ok().json();
        for key in ["kind", "apiVersion"] {
            assert_eq!(ours[key], theirs[key]);
        }
        for list in ["certificates", "certificateAuthorities"] {
            for wanted in theirs[list].as_array().unwrap() {
                let found = find(&ours[list], wanted["name"].as_str().unwrap());
                let missing = wanted["missing"].as_bool().unwrap();
                for key in ["name", "expirationDate", "caName", "externallyManaged", "missing"] {
                    assert_eq!(found.get(key), wanted.get(key), "{folder}: {}: {key}", wanted["name"]);
                }
                if missing {
                    // kubeadm says 0 seconds, which is a lie.
                    assert!(found["residualTime"].is_null());
                } else {
                    // kubeadm counts from its own start, a fraction of a second later, and cuts towards zero.
                    let more = found["residualTime"].as_i64().unwrap() - wanted["residualTime"].as_i64().unwrap();
                    assert!((0..=1).contains(&more), "{folder}: {}: {more}", wanted["name"]);
                }
                compared += 1;
            }
            // What is ours beside kubeadm's is named, so that nothing slips in.
            let known: Vec<&Value> = theirs[list].as_array().unwrap().iter().map(|item| &item["name"]).collect();
            for item in ours[list].as_array().unwrap().iter().filter(|item| !known.contains(&&item["name"])) {
                assert_eq!(item["name"], "kubelet.conf", "{folder}");
            }
        }
    }
    assert!(compared > 100, "{compared}");
}

fn find<'v>(list: &'v Value, name: &str) -> &'v Value {
    let mut named = list.as_array().unwrap().iter().filter(|item| item["name"] == name);
    let found = named.next().unwrap_or_else(|| panic!("{name} is not listed"));
    assert!(named.next().is_none(), "{name} is listed twice");
    found
}

/// kubeadm's own lines are in our table as they are, but for blanks at their end and our STATE behind them.
#[test]
fn the_table_has_kubeadms_lines() {
    for folder in FOLDERS {
        let theirs = fixture(folder, "check-expiration.txt");
        // kubeadm looked a fraction of a second later: 364d and not 365d.
        let run = check_at(folder, &later(&fixture(folder, "made-at")), &["--exit-zero"]).ok();
        for line in theirs.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            let found = run.stdout.lines().any(|ours| {
                // kubeadm 1.20 left the authority of kubeconfigs blank, and knew no other column widths.
                same(ours, line) || (*folder == "v1.20-rsa2048" && without_ca(ours) == without_ca(line))
            });
            assert!(found, "{folder}: {line:?} is not in\n{}", run.stdout);
        }
    }
}

fn same(ours: &str, theirs: &str) -> bool {
    ours.strip_prefix(theirs).is_some_and(|rest| rest.is_empty() || rest.starts_with("   "))
}

fn without_ca(line: &str) -> Vec<&str> {
    line.split_whitespace().filter(|word| *word != "ca").collect()
}

fn later(at: &str) -> String {
    let (before, second) = at.trim_end_matches('Z').rsplit_once(':').unwrap();
    format!("{before}:{:02}Z", second.parse::<u32>().unwrap() + 1)
}

/// Every form over a calm, a warning and an expired tree, byte by byte.
#[test]
fn every_form_is_what_it_was() {
    let cases = [
        ("ok", "v1.36-ha-ecdsa-cp2", "2026-11-20T21:06:21Z"),
        ("warning", "v1.36-default-rsa2048", "2027-11-01T00:00:00Z"),
        ("expired", "v1.36-expired", "2026-11-20T21:23:56Z"),
    ];
    for (case, folder, at) in cases {
        for form in ["table", "wide", "json", "yaml", "csv", "timeline", "prometheus", "nagios"] {
            let run = check_at(folder, at, &["-o", form, "--exit-zero"]).ok();
            assert_eq!(run.stderr, "");
            recorded(&format!("golden/{case}.{form}"), &run.stdout);
        }
    }
}

#[test]
fn the_exit_status_is_a_table() {
    for (folder, at, words, status) in [
        ("v1.36-ha-ecdsa-cp1", "2026-11-20T22:00:00Z", &[][..], 0),
        // super-admin.conf is not expected on a joined node.
        ("v1.36-ha-ecdsa-cp2", "2026-11-20T22:00:00Z", &[], 0),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &[], 3),
        ("v1.36-ha-ecdsa-cp1", "2027-11-18", &[], 4),
        ("v1.36-ha-ecdsa-cp1", "2027-12-18", &[], 4),
        ("v1.36-ha-ecdsa-cp1", "2026-01-01", &[], 4),
        ("v1.36-ha-ecdsa-cp1", "2027-12-18", &["--exit-zero"], 0),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--warning", "10d"], 0),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--critical", "20d"], 4),
        ("v1.36-ha-ecdsa-cp1", "2027-06-01", &["--warning", "50%"], 3),
        ("v1.36-ha-ecdsa-cp1", "2026-11-20T22:00:00Z", &["--ca-warning", "20y"], 3),
        ("v1.36-ha-ecdsa-cp1", "2026-11-20T22:00:00Z", &["--ca-critical", "100%"], 4),
        // What is shown changes nothing about what is.
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--only", "expired"], 3),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--within", "1d"], 3),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--warning", "30"], 2),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["--only", "bad"], 2),
        ("v1.36-ha-ecdsa-cp1", "then", &[], 2),
        ("v1.36-ha-ecdsa-cp1", "2026-11-20T22:00:00Z", &["-o", "nagios"], 0),
        ("v1.36-ha-ecdsa-cp1", "2027-11-01", &["-o", "nagios"], 1),
        ("v1.36-ha-ecdsa-cp1", "2027-11-18", &["-o", "nagios"], 2),
        ("v1.36-ha-ecdsa-cp1", "2027-11-18", &["-o", "nagios", "--exit-zero"], 0),
    ] {
        check_at(folder, at, words).status(status);
    }
}

#[test]
fn what_cannot_be_looked_at_is_no_success() {
    let place = Place::new();
    let run = place.kpki(&["check", "absent"]).fails(1);
    assert!(run.stderr.contains("absent") && run.stdout.is_empty(), "{}", run.stderr);
    fs::create_dir(place.path("empty")).unwrap();
    let run = place.kpki(&["check", "empty"]).fails(1);
    assert!(run.stderr.contains("no certificate was found in empty"), "{}", run.stderr);
    let run = place.kpki(&["check", "absent", "-o", "nagios"]).status(3);
    assert!(run.stdout.starts_with("CERTIFICATES UNKNOWN - "), "{}", run.stdout);
    // One place that cannot be looked at does not hide another.
    copy_tree(&repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes"), &place.path("k8s"));
    let run = place.kpki(&["check", "k8s", "absent", "--at", "2026-12-01"]).status(4);
    assert!(
        run.stdout.contains("!UNREADABLE! absent") && run.stdout.contains("apiserver-etcd-client"),
        "{}",
        run.stdout
    );
}

#[test]
fn damage_is_named_and_hides_nothing() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes"), &place.path("k8s"));
    fs::remove_file(place.path("k8s/pki/etcd/peer.crt")).unwrap();
    fs::write(place.path("k8s/pki/apiserver.crt"), "-----BEGIN CERTIFICATE-----\nMIIB\n").unwrap();
    fs::write(place.path("k8s/scheduler.conf"), "{").unwrap();
    let run = place.kpki(&["check", "k8s", "--at", "2026-12-01", "-o", "json"]).status(4);
    let value = run.json();
    for (name, state) in [
        ("etcd-peer", "missing"),
        ("apiserver", "unreadable"),
        ("scheduler.conf", "unreadable"),
        ("admin.conf", "ok"),
        ("etcd-server", "ok"),
    ] {
        let item = find(&value["certificates"], name);
        assert_eq!(item["state"], state, "{name}");
        assert_eq!(item["residualTime"].is_null(), state != "ok", "{name}");
    }
    let table = place.kpki(&["check", "k8s", "--at", "2026-12-01"]).status(4).stdout;
    assert!(table.starts_with("unreadable: 2 unreadable, 1 missing, "), "{table}");
    assert!(table.contains("!MISSING! etcd-peer") && table.contains("!UNREADABLE! apiserver"), "{table}");
    assert!(table.contains("as FILE: kpki renew etcd-peer --profile FILE --dir k8s\n"), "{table}");
}

#[test]
fn every_json_document_fits_the_schema() {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(repository("schemas/check-expiration.schema.json")).unwrap()).unwrap();
    for folder in FOLDERS.iter().copied().chain(["v1.36-generate-csr"]) {
        for at in ["2026-11-20T22:00:00Z", "2027-11-01", "2040-01-01", "2020-01-01"] {
            let value = check_at(folder, at, &["-o", "json", "--exit-zero"]).ok().json();
            assert_eq!(schema::problems(&schema, &value), [""; 0], "{folder} at {at}");
        }
    }
    // The check can fail.
    let mut value = check("v1.36-expired", &["-o", "json", "--exit-zero"]).json();
    value["certificates"][0]["residualTime"] = Value::from("soon");
    value["certificates"][1].as_object_mut().unwrap().remove("missing");
    value["more"] = Value::Null;
    assert_eq!(schema::problems(&schema, &value).len(), 3);
}

#[test]
fn the_table_of_a_recorded_tree_says_the_whole_command() {
    let place = Place::new();
    place.write("clusters/prod.yaml", single("clusterName: prod\nexpiration: {warning: 100d, critical: 1d}\n"));
    place.init(&["--profile", "clusters/prod.yaml", "--dir", "clusters/prod"]).ok();
    // The profile's threshold holds, whether the profile is recorded or given: 65 days are left.
    let late = "2027-09-16T22:00:00Z";
    for words in [
        &["clusters/prod"][..],
        &["--profile", "clusters/prod.yaml"],
        &["--profile", "clusters/prod.yaml", "clusters/prod"],
        &["--profiles", "clusters"],
    ] {
        let run = place.kpki(&[&["check", "--at", late], words].concat()).status(3);
        assert!(run.stdout.starts_with("warning: "), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
    let later = ["check", "--at", "2028-01-01"];
    let run = place.kpki(&[&later[..], &["clusters/prod"]].concat()).status(4);
    assert!(run.stdout.contains(": kpki renew all --due --dir clusters/prod\n"), "{}", run.stdout);
    let run = place.kpki(&[&later[..], &["--profile", "clusters/prod.yaml"]].concat()).status(4);
    let command = ": kpki renew all --due --profile clusters/prod.yaml --dir clusters/prod\n";
    assert!(run.stdout.contains(command), "{}", run.stdout);
    // The flag holds over the profile.
    place.kpki(&["check", "--at", late, "clusters/prod", "--warning", "30d"]).ok();
    // What is typed is literal; what a profile says is capped by the lifetime.
    place.kpki(&["check", "--at", super::harness::NOW, "clusters/prod", "--warning", "400d"]).status(3);
    place.write("clusters/prod.yaml", single("clusterName: prod\nexpiration: {warning: 400d, critical: 400d}\n"));
    place.kpki(&["check", "--at", super::harness::NOW, "--profile", "clusters/prod.yaml"]).ok();
    // And what it says to do, does it.
    place.kpki(&["renew", "all", "--at", "2028-01-01", "--dir", "clusters/prod"]).ok();
    place.kpki(&["check", "--at", "2028-01-01", "clusters/prod", "--warning", "30d"]).ok();
}

#[test]
fn profiles_and_paths_must_fit_each_other() {
    let place = Place::new();
    place.write("a.yaml", single(""));
    place.write("b.yaml", single(""));
    let run = place.kpki(&["check", "-p", "a.yaml", "-p", "b.yaml", "k8s"]).fails(2);
    assert!(run.stderr.contains("several --profile cannot describe a PATH together"), "{}", run.stderr);
    let run = place.kpki(&["check", "-p", "a.yaml", "-p", "b.yaml"]).fails(2);
    assert!(run.stderr.contains("expected the directory a"), "{}", run.stderr);
    fs::create_dir(place.path("none")).unwrap();
    place.kpki(&["check", "--profiles", "none"]).fails(2);
}

#[test]
fn a_file_is_written_at_once_and_readable_by_everybody() {
    let place = Place::new();
    copy_tree(&repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes"), &place.path("k8s"));
    fs::create_dir(place.path("textfile")).unwrap();
    for _ in 0..2 {
        let words = ["check", "k8s", "--at", "2026-12-01", "-o", "prometheus", "--output-file", "textfile/kpki.prom"];
        let run = place.kpki(&words).ok();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
        let mode = fs::metadata(place.path("textfile/kpki.prom")).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o644);
        assert_eq!(fs::read_dir(place.path("textfile")).unwrap().count(), 1);
    }
    metrics(&place.read("textfile/kpki.prom"));
    place.kpki(&["check", "k8s", "--at", "2026-12-01", "--output-file", "absent/kpki.prom"]).fails(1);
}

#[test]
fn metrics_are_well_formed_and_complete() {
    for folder in FOLDERS {
        let families = metrics(&check(folder, &["-o", "prometheus", "--exit-zero"]).ok().stdout);
        let count = |name: &str| families.get(name).copied().unwrap_or_default();
        assert!(count("x509_cert_not_after") >= 9, "{folder}: {families:?}");
        for name in ["x509_cert_not_before", "x509_cert_expired", "x509_cert_error"] {
            assert_eq!(count(name), count("x509_cert_not_after"), "{folder}: {name}");
        }
        assert_eq!(count("x509_source_up"), 1);
    }
}

#[test]
fn colour_is_for_those_who_want_it() {
    let plain = check_at("v1.36-expired", "2026-12-01", &["--exit-zero"]).ok().stdout;
    assert!(!plain.contains('\x1b'));
    let coloured = check_at("v1.36-expired", "2026-12-01", &["--exit-zero", "--color", "always"]).ok().stdout;
    assert!(coloured.starts_with("\x1b[1;31mexpired: "), "{coloured}");
    let bare: String = coloured.replace("\x1b[1;31m", "").replace("\x1b[1m", "").replace("\x1b[0m", "");
    assert_eq!(bare, plain);
    let quiet = check_at("v1.36-expired", "2026-12-01", &["-q"]).status(4);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    // Machines are never painted for.
    for form in ["json", "csv", "prometheus", "yaml"] {
        let run = check_at("v1.36-expired", "2026-12-01", &["--exit-zero", "--color", "always", "-o", form]).ok();
        assert!(!run.stdout.contains('\x1b'), "{form}");
    }
}

#[test]
fn the_help_has_the_statuses() {
    let place = Place::new();
    let help = place.kpki(&["check-expiration", "--help"]).ok().stdout.replace('\n', " ");
    for status in [
        "0 nothing inside the windows",
        "1 could not run",
        "2 wrong command line",
        "3 a certificate is",
        "4 one is critical",
    ] {
        assert!(help.contains(status), "{status}");
    }
}

/// What the README shows is what comes out of its own profile.
#[test]
fn the_readmes_table_is_the_programs() {
    let place = Place::new();
    place.init(&["--profile", &text("profiles/single-node.yaml"), "--dir", "demo"]).ok();
    let table = place.kpki(&["check-expiration", "demo", "--at", super::harness::NOW]).ok().stdout;
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let (_, shown) = readme.split_once("$ kpki check-expiration ./demo\n").unwrap();
    let (shown, _) = shown.split_once("...\n").unwrap();
    let (verdict, rows) = shown.split_once('\n').unwrap();
    assert!(table.starts_with(&format!("{verdict}; as of ")) && table.contains(rows), "{table}");
}

/// A fleet: one tree with its profile, one that records its own, one whose profile is broken, one that is not there.
#[test]
fn a_fleet_is_one_answer() {
    let place = Place::new();
    for (name, at) in [("a", "2026-11-01"), ("b", "2026-10-01"), ("c", "2026-09-01")] {
        place.write(&format!("fleet/{name}.yaml"), single(&format!("clusterName: {name}\n")));
        let (profile, dir) = (format!("fleet/{name}.yaml"), format!("fleet/{name}"));
        place.kpki(&["init", "--at", at, "--profile", &profile, "--dir", &dir]).ok();
    }
    let fleet = ["check", "--profiles", "fleet", "--at", "2026-12-01"];
    let run = place.kpki(&fleet).ok();
    assert!(run.stdout.starts_with("ok: 48 certificates in 3 places; "), "{}", run.stdout);
    for name in ["a", "b", "c"] {
        assert!(run.stdout.contains(&format!("\n\ncluster {name}, node cp1: fleet/{name}\n")), "{}", run.stdout);
    }
    fs::remove_file(place.path("fleet/b.yaml")).unwrap();
    place.write("fleet/c.yaml", "kind: nothing\n");
    place.write("fleet/d.yaml", single("clusterName: d\n"));
    place.write("fleet/notes.txt", "no profile");
    fs::create_dir(place.path("fleet/other")).unwrap();
    let run = place.kpki(&fleet).status(4);
    assert!(
        run.stdout.starts_with("unreadable: 1 unreadable, 48 ok of 49 certificates in 4 places; "),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("!UNREADABLE! fleet/d"), "{}", run.stdout);
    assert!(run.stderr.starts_with("warning: fleet/c.yaml is not a valid profile: "), "{}", run.stderr);
    let run = place.kpki(&[&fleet[..], &["--top", "1"]].concat()).status(4);
    assert!(run.stdout.contains("\n\nCLUSTER   PLACES    CERTIFICATES   FIRST TO END"), "{}", run.stdout);
    let csv = place.kpki(&[&fleet[..], &["-o", "csv", "--exit-zero"]].concat()).warns().stdout;
    assert_eq!(csv.lines().count(), 1 + 49);
    assert!(csv.contains("\na,cp1,admin.conf,kubeconfig,ok,"), "{csv}");
}

/// Copies that the profile names: a kubeconfig in a home directory, a proxy's bundle.
#[test]
fn copies_elsewhere_are_looked_at() {
    let place = Place::new();
    let (conf, bundle) = (place.path("home/config"), place.path("proxy/bundle.pem"));
    let copies = format!("expiration: {{copies: ['{}', '{}']}}\n", conf.display(), bundle.display());
    place.write("p.yaml", single(&copies));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place.write("home/config", place.read("k8s/admin.conf"));
    let run = place.kpki(&["check-expiration", "k8s", "--at", super::harness::NOW]).status(4);
    assert!(run.stdout.contains("!MISSING! bundle.pem"), "{}", run.stdout);
    place.write("proxy/bundle.pem", place.read("k8s/pki/apiserver.crt") + &place.read("k8s/pki/ca.crt"));
    let run = place.kpki(&["check-expiration", "k8s", "--at", super::harness::NOW]).ok();
    assert!(run.stdout.contains("config ") && run.stdout.contains("bundle.pem"), "{}", run.stdout);
    // A copy that was not renewed with its original is what this is for.
    let run = place.kpki(&["check-expiration", "k8s", "--at", "2028-01-01", "-o", "json"]).status(4).json();
    let expired = run["certificates"].as_array().unwrap().iter().filter(|c| c["state"] == "expired").count();
    assert!(expired >= 15, "{expired}");
}

/// A subject is somebody else's text: whatever form, it must not steer the terminal it is shown on.
#[test]
fn escapes_in_a_subject_stay_in_the_subject() {
    let mut params = rcgen::CertificateParams::new(vec!["x.example.com".to_owned()]).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "\u{1b}[31mred\u{1b}]0;title\u{7}\r\u{202e}");
    let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let place = Place::new();
    place.write("\u{1b}[2J.pem", pem::encode(&pem::Pem::new("CERTIFICATE", certificate.der().to_vec())));
    for words in [
        &["check-expiration", "."][..],
        &["check-expiration", ".", "-o", "wide"],
        &["check-expiration", ".", "-o", "csv"],
        &["check-expiration", ".", "-o", "json"],
        &["check-expiration", ".", "-o", "yaml"],
        &["check-expiration", ".", "-o", "prometheus"],
        &["check-expiration", ".", "-o", "nagios"],
        &["inspect", "\u{1b}[2J.pem"],
        &["inspect", "\u{1b}[2J.pem", "-o", "json"],
        &["inspect", "\u{1b}[2J.pem", "-o", "yaml"],
        &["inspect", "\u{1b}[2J.gone"],
    ] {
        let run = place.kpki(words);
        let said = run.stdout + &run.stderr;
        assert!(said.len() > 10 && !said.chars().any(|c| c.is_control() && c != '\n'), "{words:?}: {said:?}");
    }
}
