//! Reads Prometheus's text format as strictly as the textfile collector does.

use std::collections::{BTreeMap, BTreeSet};

/// The text format as the collector reads it: HELP and TYPE before the samples of a family, one family in one piece, labels
/// well quoted, no timestamps, no series twice. Returns family to series count.
pub fn metrics(text: &str) -> BTreeMap<String, usize> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = BTreeSet::new();
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
            assert!(["cluster", "node"].iter().all(|name| names.iter().any(|other| other == name)), "{line}");
            if name.starts_with("x509_cert_") {
                assert_eq!(names, CERTIFICATE_LABELS);
            }
            assert!(seen.insert(format!("{name}{{{labels}")), "{line} comes twice");
            *families.entry(name.to_owned()).or_default() += 1;
        }
    }
    families
}

const CERTIFICATE_LABELS: [&str; 25] = [
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
    "cluster",
    "node",
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
