//! What every verb shows on screens of several widths: nothing is wider but what may not be broken, and nothing of that is broken.

use std::fs;

use kpki::report::fold::{columns, longest_piece};
use serde_json::Value;

use super::harness::{NOW, Place, repository};

const WIDTHS: [&str; 5] = ["60", "80", "100", "120", "200"];

/// Verbs that write nothing, with the tree as DIR.
const READ: &[&[&str]] = &[
    &["check-expiration", "DIR"],
    &["check-expiration", "DIR", "-o", "timeline"],
    &["verify", "DIR"],
    &["verify", "--rules"],
    &["init", "--dir", "DIR"],
    &["renew", "all", "--dry-run", "--dir", "DIR"],
    &["renew", "ca", "--dry-run", "--dir", "DIR"],
    &["revoke", "front-proxy-client", "--dry-run", "--dir", "DIR"],
    &["csr", "all", "--dry-run", "--dir", "DIR"],
    &["rotate", "prepare", "all", "--dry-run", "--dir", "DIR"],
    &["rotate", "status", "--dir", "DIR"],
    &["history", "--dir", "DIR"],
];
const OF_CLUSTERS: &[&[&str]] = &[&["nodes", "--dir", "DIR"], &["key", "list", "--dir", "DIR"]];

/// Runs it on every width. `whole`: what may not be broken.
fn fits(place: &Place, words: &[&str], whole: &[String]) {
    for width in WIDTHS {
        let run = place.kpki_in(words, b"", &[("COLUMNS", width)]);
        assert!(run.status != -1 && !run.stderr.contains("Usage: "), "{words:?}: {}", run.stderr);
        let most: usize = width.parse().unwrap();
        for line in run.stdout.lines().chain(run.stderr.lines()) {
            let is_one_piece = longest_piece(line.trim()) == columns(line.trim());
            assert!(columns(line) <= most || is_one_piece, "{words:?} at {width}: {line}");
        }
        for id in whole {
            assert!(run.stdout.contains(id.as_str()), "{words:?} at {width}: {id} is broken in\n{}", run.stdout);
        }
    }
}

fn all(place: &Place, dir: &str, is_cluster: bool) {
    let more = if is_cluster { OF_CLUSTERS } else { &[] };
    for verb in READ.iter().chain(more) {
        let words: Vec<&str> = verb.iter().map(|word| if *word == "DIR" { dir } else { word }).collect();
        // As of the instant at which the tree was made.
        let dated = !matches!(words[0], "history" | "nodes" | "key") && words.get(1) != Some(&"status");
        let words = if dated { [&words[..], &["--at", NOW]].concat() } else { words };
        fits(place, &words, &[]);
    }
    let json = place.kpki(&["renew", "all", "--dry-run", "--dir", dir, "--at", NOW, "-o", "json"]).json();
    let ids = json["trees"][0]["entries"].as_array().unwrap().iter().map(|entry| match &entry["node"] {
        Value::String(node) => format!("{node}/{}", entry["name"].as_str().unwrap()),
        _ => entry["name"].as_str().unwrap().to_owned(),
    });
    fits(place, &["renew", "all", "--dry-run", "--dir", dir, "--at", NOW], &ids.collect::<Vec<_>>());
}

#[test]
fn screens_of_one_node() {
    let place = Place::new();
    let profile = repository("profiles/single-node.yaml");
    place.init(&["--profile", profile.to_str().unwrap(), "--dir", "demo"]).ok();
    all(&place, "demo", false);
    // Serial numbers and fingerprints.
    let crt = &["inspect", "demo/pki/apiserver.crt", "-o", "json"];
    let facts = place.kpki(crt).ok().stdout;
    let prints: Vec<String> = facts
        .split('"')
        .filter(|text| text.len() > 24 && text.chars().all(|c| c.is_ascii_hexdigit() || c == ':'))
        .map(str::to_owned)
        .collect();
    assert!(prints.len() > 2, "{facts}");
    fits(&place, &crt[..2], &prints);
}

#[test]
fn screens_of_a_cluster() {
    let place = Place::new();
    let profile = repository("profiles/ha-load-balancer.yaml");
    place.init(&["--profile", profile.to_str().unwrap(), "--dir", "cluster"]).ok();
    all(&place, "cluster", true);
    // A command stands whole, to be pasted.
    let next = "kpki export cp1 --dir cluster --out - | ssh cp1 kpki unpack -".to_owned();
    fits(&place, &["nodes", "--dir", "cluster"], &[next]);
    fits(&place, &["export", "cp1", "--dir", "cluster", "--out", "cp1.tar.gz", "--force", "--at", NOW], &[]);
}

#[test]
fn screens_of_long_names() {
    let place = Place::new();
    let label = "a-name-as-long-as-a-label-of-the-dns-may-be-so-that-none-is-long";
    let node = format!("{}.{}.example.com", &label[..63], &label[..50]);
    let profile = format!(
        "apiVersion: kpki/v1\nkind: ClusterProfile\nclusterName: {}\nnodes:\n  - name: {node}\n    roles: [control-plane, etcd]\n    addresses: [10.0.0.11]\n",
        &label[..63]
    );
    place.write("p.yaml", profile);
    place.init(&["--profile", "p.yaml", "--dir", "a directory with a long name and blanks"]);
    all(&place, "a directory with a long name and blanks", false);
}

#[test]
fn screens_of_a_fleet() {
    let place = Place::new();
    let profile = fs::read_to_string(repository("profiles/single-node.yaml")).unwrap();
    for number in 0..12 {
        let name = format!("cluster-with-a-long-name-{number}");
        place.write(&format!("clusters/{name}.yaml"), &profile);
        if number % 4 != 3 {
            let (given, dir) = (format!("clusters/{name}.yaml"), format!("clusters/{name}"));
            place.init(&["--profile", &given, "--dir", &dir]).ok();
        }
    }
    for verb in [
        &["check-expiration", "--profiles", "clusters/", "--at", "2027-11-15T00:00:00Z"][..],
        &["check-expiration", "--profiles", "clusters/", "--at", NOW, "-o", "timeline"],
        &["verify", "--profiles", "clusters/", "--at", NOW],
        &["renew", "all", "--due", "--dry-run", "--profiles", "clusters/", "--at", "2027-11-15T00:00:00Z"],
    ] {
        fits(&place, verb, &[]);
    }
}

#[test]
fn a_pipe_is_not_folded_and_wide_is_for_scrolling() {
    let place = Place::new();
    let profile = repository("profiles/single-node.yaml");
    place.init(&["--profile", profile.to_str().unwrap(), "--dir", "demo"]).ok();
    let words = ["check-expiration", "demo", "--at", NOW];
    let piped = place.kpki(&words).ok().stdout;
    assert!(piped.contains("CERTIFICATE AUTHORITY   EXTERNALLY MANAGED\n"), "{piped}");
    let narrow = place.kpki_in(&words, b"", &[("COLUMNS", "80")]).ok().stdout;
    assert!(narrow.contains("(no room for EXTERNALLY MANAGED"), "{narrow}");
    let wide = place.kpki_in(&[&words[..], &["-o", "wide"]].concat(), b"", &[("COLUMNS", "80")]).ok().stdout;
    assert!(wide.lines().any(|line| columns(line) > 120), "{wide}");
    // What is no number is no width.
    assert_eq!(place.kpki_in(&words, b"", &[("COLUMNS", "wide")]).ok().stdout, piped);
}

/// The commands that a help shows.
fn examples(text: &str) -> Vec<&str> {
    let lines = text.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
    lines.map(|line| line.trim_start().split("  ").next().unwrap()).collect()
}

/// Each verb with its help's examples.
fn verbs(command: &clap::Command, path: &[String], found: &mut Vec<(Vec<String>, Vec<String>)>) {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    found.push((path.to_vec(), examples(&text).into_iter().map(str::to_owned).collect()));
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        verbs(verb, &[path, &[verb.get_name().to_owned()]].concat(), found);
    }
}

/// No line of a help is wider but one with a command or a synopsis, and each example is there as it is typed.
#[test]
fn helps_fit_the_screen() {
    let place = Place::new();
    let mut found = Vec::new();
    verbs(&kpki::cli::command(), &[], &mut found);
    assert!(found.len() > 50 && found.iter().map(|(_, examples)| examples.len()).sum::<usize>() > 150);
    for (verb, examples) in &found {
        for width in WIDTHS {
            let most = width.parse::<usize>().unwrap().min(120);
            let words: Vec<&str> = verb.iter().map(String::as_str).chain(["--help"]).collect();
            let help = place.kpki_in(&words, b"", &[("COLUMNS", width)]).ok().stdout;
            for line in help.lines().map(str::trim_end).filter(|line| columns(line) > most) {
                let text = line.trim_start();
                let is_command = examples.iter().any(|one| one == text) || text.starts_with("Usage: kpki");
                assert!(is_command || text.starts_with("kpki ") || !text.contains(' '), "{verb:?} at {width}: {line}");
            }
            for example in examples {
                let is_it = |line: &str| line.trim() == example || line.trim().starts_with(&format!("{example}  "));
                assert!(help.lines().any(is_it), "{verb:?} at {width}: {example} in\n{help}");
            }
        }
    }
}
