//! `kpki check-expiration` over the trees real kubeadm made, held against what kubeadm said of the same trees.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::harness::{Place, Run, copy_tree, repository, single, text};
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
        for form in ["table", "wide", "json", "yaml", "csv", "prometheus", "nagios"] {
            let run = check_at(folder, at, &["-o", form, "--exit-zero"]).ok();
            assert_eq!(run.stderr, "");
            golden(&format!("{case}.{form}"), &run.stdout);
        }
    }
}

fn golden(name: &str, found: &str) {
    let path = repository("tests/kpki/golden").join(name);
    if std::env::var_os("KPKI_UPDATE").is_some() {
        fs::write(&path, found).unwrap();
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == found, "{name} differs; if it is meant: KPKI_UPDATE=1 cargo test --test kpki check\n{found}");
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
        check_at(folder, at, words).fails(status);
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
    let run = place.kpki(&["check", "absent", "-o", "nagios"]).fails(3);
    assert!(run.stdout.starts_with("CERTIFICATES UNKNOWN - "), "{}", run.stdout);
    // One place that cannot be looked at does not hide another.
    copy_tree(&repository("fixtures/kubeadm/v1.36-ha-ecdsa-cp1/etc-kubernetes"), &place.path("k8s"));
    let run = place.kpki(&["check", "k8s", "absent", "--at", "2026-12-01"]).fails(4);
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
    let run = place.kpki(&["check", "k8s", "--at", "2026-12-01", "-o", "json"]).fails(4);
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
    let table = place.kpki(&["check", "k8s", "--at", "2026-12-01"]).fails(4).stdout;
    assert!(table.starts_with("unreadable: 2 unreadable, 1 missing, "), "{table}");
    assert!(table.contains("!MISSING! etcd-peer") && table.contains("!UNREADABLE! apiserver"), "{table}");
    assert!(table.contains("make what is missing: kpki init --profile FILE --dir k8s "), "{table}");
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
    place.write("clusters/prod.yaml", single("clusterName: prod\nexpiration: {warning: 400d, critical: 1d}\n"));
    place.init(&["--profile", "clusters/prod.yaml", "--dir", "clusters/prod"]).ok();
    // The profile's threshold holds, whether the profile is recorded or given.
    for words in [
        &["clusters/prod"][..],
        &["--profile", "clusters/prod.yaml"],
        &["--profile", "clusters/prod.yaml", "clusters/prod"],
        &["--profiles", "clusters"],
    ] {
        let run = place.kpki(&[&["check", "--at", super::harness::NOW], words].concat()).fails(3);
        assert!(run.stdout.starts_with("warning: "), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
    let later = ["check", "--at", "2028-01-01"];
    let run = place.kpki(&[&later[..], &["clusters/prod"]].concat()).fails(4);
    assert!(run.stdout.contains(": kpki init --dir clusters/prod --force\n"), "{}", run.stdout);
    let run = place.kpki(&[&later[..], &["--profile", "clusters/prod.yaml"]].concat()).fails(4);
    let command = ": kpki init --profile clusters/prod.yaml --dir clusters/prod --force\n";
    assert!(run.stdout.contains(command), "{}", run.stdout);
    // The flag holds over the profile.
    place.kpki(&["check", "--at", super::harness::NOW, "clusters/prod", "--warning", "30d"]).ok();
    // And what it says to do, does it.
    place.kpki(&["init", "--at", "2028-01-01", "--dir", "clusters/prod", "--force"]).ok();
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

/// The text format as the collector reads it: HELP and TYPE before the samples of a family, one family in one piece, labels
/// well quoted, no timestamps, no series twice. Returns family to series count.
fn metrics(text: &str) -> BTreeMap<String, usize> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    let (mut helped, mut typed) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = rest.split_once(' ').unwrap().0.to_owned();
            assert!(!families.contains_key(&helped), "{helped} comes in two pieces");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed = rest.strip_suffix(" gauge").unwrap().to_owned();
            assert_eq!(helped, typed);
        } else {
            let (name, rest) = line.split_once('{').unwrap();
            assert_eq!(name, typed);
            let (labels, value) = rest.rsplit_once("} ").unwrap();
            assert!(value.parse::<i64>().is_ok(), "{line}: a value and no timestamp");
            let names = label_names(labels);
            if name.starts_with("x509_cert_") {
                assert_eq!(names, CERTIFICATE_LABELS);
            }
            assert!(seen.insert(format!("{name}{{{labels}")), "{line} comes twice");
            *families.entry(name.to_owned()).or_default() += 1;
        }
    }
    families
}

const CERTIFICATE_LABELS: [&str; 23] = [
    "serial_number",
    "subject_C",
    "subject_ST",
    "subject_L",
    "subject_O",
    "subject_OU",
    "subject_CN",
    "issuer_C",
    "issuer_ST",
    "issuer_L",
    "issuer_O",
    "issuer_OU",
    "issuer_CN",
    "filename",
    "filepath",
    "embedded_kind",
    "embedded_key",
    "secret_namespace",
    "secret_name",
    "secret_key",
    "configmap_namespace",
    "configmap_name",
    "configmap_key",
];

fn label_names(labels: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = labels;
    while !rest.is_empty() {
        let (name, tail) = rest.split_once("=\"").unwrap();
        names.push(name.trim_start_matches(',').to_owned());
        let mut escaped = false;
        let end = tail.char_indices().find(|(_, c)| {
            let end = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            end
        });
        rest = &tail[end.unwrap().0 + 1..];
    }
    names
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
    let quiet = check_at("v1.36-expired", "2026-12-01", &["-q"]).fails(4);
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
    assert!(fs::read_to_string(text("README.md")).unwrap().contains("3 a certificate is inside its warning window"));
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
