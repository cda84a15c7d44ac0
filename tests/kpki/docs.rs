//! Prose is compiled: README, pages of docs/reference, man pages and help are held against the definitions they describe. With
//! KPKI_RECORD=1 the generated parts are written instead.

use std::collections::BTreeSet;
use std::fs;

use kpki::catalog::differences::DIFFERENCES;
use kpki::catalog::readers;
use kpki::cli;
use kpki::error::STATUSES;
use kpki::verify::Rule;

use super::expect::recording;
use super::harness::{Place, repository};

fn hold(path: &str, expected: &str) {
    if recording() {
        fs::create_dir_all(repository(path).parent().unwrap()).unwrap();
        fs::write(repository(path), expected).unwrap();
    }
    let found = fs::read_to_string(repository(path)).unwrap_or_default();
    assert!(found == expected, "{path} is not what the definitions say; run: KPKI_RECORD=1 cargo test docs");
}

#[test]
fn man_pages_are_what_the_definitions_say() {
    let place = Place::new();
    let names = place.kpki(&["generate", "man"]).ok().stdout;
    let names: Vec<&str> = names.lines().collect();
    for name in &names {
        hold(&format!("man/{name}"), &place.kpki(&["generate", "man", name]).ok().stdout);
    }
    let mut there: Vec<String> =
        fs::read_dir(repository("man")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    there.sort();
    let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    names.sort();
    assert_eq!(there, names);
    for wanted in ["kpki.1", "kpki-init.1", "kpki-profile.1", "kpki-profile-validate.1", "kpki-profile.5"] {
        assert!(names.contains(&wanted.to_owned()), "{names:?}");
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.kpki(&["completion", shell]).ok().stdout;
        assert!(script.contains("kpki"), "{shell}");
        // The earlier form says what to use instead, and works.
        let earlier = place.kpki(&["generate", "completions", shell]);
        assert_eq!(earlier.stdout, script);
        assert_eq!(
            earlier.stderr,
            format!("warning: this form goes away with the next release; use: kpki completion {shell}\n")
        );
    }
    assert!(!place.kpki(&["--help"]).ok().stdout.contains("generate"));
    assert_eq!(place.kpki(&["completion", "csh"]).status, 2);
}

/// What is said of the libraries is what the lock file has, and nothing tells of this machine.
#[test]
fn version_says_what_was_built() {
    let place = Place::new();
    let text = place.kpki(&["version"]).ok().stdout;
    assert!(text.starts_with(concat!("kpki ", env!("CARGO_PKG_VERSION"), "\n")), "{text}");
    let json: serde_json::Value = serde_json::from_str(&place.kpki(&["version", "-o", "json"]).ok().stdout).unwrap();
    assert_eq!((&json["apiVersion"], &json["kind"]), (&"kpki/v1".into(), &"Version".into()));
    assert!(json["target"].as_str().unwrap().contains("linux"), "{json}");
    let lock = fs::read_to_string(repository("Cargo.lock")).unwrap();
    let libraries = json["libraries"].as_array().unwrap();
    for name in ["aws-lc-rs", "ring", "rustls"] {
        assert!(libraries.iter().any(|library| library["name"] == name), "{json}");
    }
    for library in libraries {
        let (name, version) = (library["name"].as_str().unwrap(), library["version"].as_str().unwrap());
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{name} {version}");
        assert!(text.contains(&format!("{name} {version}\n")), "{text}");
    }
    assert!(!text.contains('/'), "{text}");
}

#[test]
fn the_page_lists_the_deliberate_differences() {
    let mut table = String::from("| kubeadm | kpki | why |\n|---|---|---|\n");
    for difference in DIFFERENCES {
        table.push_str(&format!("| {} | {} | {} |\n", difference.kubeadm, difference.kpki, difference.reason));
    }
    generated("differences", "differences", &table);
}

#[test]
fn page_and_man_page_have_the_table_of_readers() {
    let mut table = String::from(
        "| file | reader | flag or field | releases | a new one is used | how that is known |\n|---|---|---|---|---|---|\n",
    );
    let page = fs::read_to_string(repository("man/kpki-renew.1")).unwrap();
    let page = page.replace("\\-", "-").replace("\\(aq", "'");
    for row in readers::rows() {
        table.push_str(&format!("| {} |\n", row.join(" | ")));
        let [file, component, setting, releases, action, source] = row;
        let paragraph = format!(".B {file}\n{component} ({setting}), {releases}: {action} ({source})\n");
        assert!(page.contains(&paragraph), "man/kpki-renew.1 has not: {paragraph}");
    }
    generated("readers", "readers", &table);
}

#[test]
fn page_and_man_page_have_the_table_of_rules() {
    let mut table = String::from("| rule | severity | what is wrong | why | repair |\n|---|---|---|---|---|\n");
    let page = fs::read_to_string(repository("man/kpki-verify.1")).unwrap().replace("\\-", "-");
    for rule in kpki::verify::all() {
        let Rule { id, severity, what, why, repair, .. } = rule;
        table.push_str(&format!("| `{id}` | {severity} | {what} | {why} | {repair} |\n"));
        let heading = format!(".B {id} ({severity})\n");
        assert!(page.contains(&heading), "man/kpki-verify.1 has not: {heading}");
    }
    generated("verify-rules", "rules", &table);
}

/// The part of a page between its marks.
fn generated(page: &str, mark: &str, table: &str) {
    let path = format!("docs/reference/{page}.md");
    let text = fs::read_to_string(repository(&path)).unwrap();
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = text.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    hold(&path, &format!("{before}{open}{table}{close}{after}"));
}

#[test]
fn the_page_has_the_exit_statuses() {
    let mut table = String::from("| exit status | |\n|---|---|\n");
    for (status, meaning) in STATUSES {
        table.push_str(&format!("| {status} | {meaning} |\n"));
    }
    generated("exit-statuses", "statuses", &table);
}

#[test]
fn the_readme_names_every_verb_and_package() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let mut verbs = Vec::new();
    for verb in cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let inner: Vec<_> =
            verb.get_subcommands().map(|sub| format!("kpki {} {}", verb.get_name(), sub.get_name())).collect();
        verbs.extend(if inner.is_empty() { vec![format!("kpki {}", verb.get_name())] } else { inner });
    }
    for verb in verbs {
        let is_listed = [format!("| `{verb}`"), format!("| `{verb} ")].iter().any(|row| readme.contains(row));
        assert!(is_listed, "the README does not list `{verb}`");
    }
    let rows: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
    let commands = rows.iter().filter(|row| row.starts_with("`kpki "));
    let mut seen = BTreeSet::new();
    assert_eq!(commands.filter(|row| !seen.insert(**row)).collect::<Vec<_>>(), [&""; 0], "listed twice");
    let named = |package: &str| rows.iter().any(|row| row.split([',', ' ', '(', ')']).any(|word| word == package));
    for package in [
        "rcgen",
        "x509-parser",
        "rustls",
        "ring",
        "pem",
        "der",
        "time",
        "clap",
        "unicode-width",
        "walkdir",
        "aws-lc-rs",
        "saphyr-parser",
        "rustix",
        "thiserror",
    ] {
        assert!(named(package), "{package}");
    }
}

#[test]
fn every_verbs_help_has_examples_and_every_flag_is_described() {
    fn check(command: &clap::Command, path: &str) {
        for argument in command.get_arguments().filter(|a| !["help", "version"].contains(&a.get_id().as_str())) {
            let described = argument.get_help().is_some() || argument.is_positional();
            assert!(described, "{path}: --{}", argument.get_id());
        }
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        assert!(examples.contains("Examples:\n  kpki "), "{path} has no examples");
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
            check(sub, &format!("{path} {}", sub.get_name()));
        }
    }
    check(&cli::command(), "kpki");
}
