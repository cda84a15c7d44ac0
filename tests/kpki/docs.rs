//! Prose is compiled: README, man pages and help are held against the definitions they describe. With KPKI_RECORD=1 the
//! generated parts are written instead.

use std::fs;
use std::sync::Mutex;

use kpki::catalog::differences::DIFFERENCES;
use kpki::catalog::readers;
use kpki::cli;
use kpki::error::STATUSES;
use kpki::verify::Rule;

use super::expect::recording;
use super::harness::{Place, repository, text};

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
fn completions_are_generated_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(place.kpki(&["generate", "completions", shell]).ok().stdout.contains("kpki"), "{shell}");
    }
    assert!(!place.kpki(&["--help"]).ok().stdout.contains("generate"));
}

#[test]
fn the_readme_lists_the_deliberate_differences() {
    let mut table = String::from("| kubeadm | kpki | why |\n|---|---|---|\n");
    for difference in DIFFERENCES {
        table.push_str(&format!("| {} | {} | {} |\n", difference.kubeadm, difference.kpki, difference.reason));
    }
    generated("differences", &table);
}

#[test]
fn readme_and_man_page_have_the_table_of_readers() {
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
    generated("readers", &table);
}

#[test]
fn readme_and_man_page_have_the_table_of_rules() {
    let mut table = String::from("| rule | severity | what is wrong | why | repair |\n|---|---|---|---|---|\n");
    let page = fs::read_to_string(repository("man/kpki-verify.1")).unwrap().replace("\\-", "-");
    for rule in kpki::verify::all() {
        let Rule { id, severity, what, why, repair, .. } = rule;
        table.push_str(&format!("| `{id}` | {severity} | {what} | {why} | {repair} |\n"));
        let heading = format!(".B {id} ({severity})\n");
        assert!(page.contains(&heading), "man/kpki-verify.1 has not: {heading}");
    }
    generated("rules", &table);
}

/// A part of the README between its marks.
fn generated(mark: &str, table: &str) {
    // Two tests write to one file when updating.
    static README: Mutex<()> = Mutex::new(());
    let _alone = README.lock();
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = readme.split_once(&open).unwrap();
    let (_, after) = rest.split_once(&close).unwrap();
    hold("README.md", &format!("{before}{open}{table}{close}{after}"));
}

#[test]
fn the_readme_has_the_exit_statuses() {
    let mut table = String::from("| exit status | |\n|---|---|\n");
    for (status, meaning) in STATUSES {
        table.push_str(&format!("| {status} | {meaning} |\n"));
    }
    generated("statuses", &table);
}

#[test]
fn the_readmes_commands_work() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let place = Place::new();
    let mut run = 0;
    let mut said = String::new();
    for line in readme.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let words = match words.as_slice() {
            ["kpki", words @ ..] => words,
            ["cargo", "run", "--release", "--", words @ ..] => words,
            ["cargo", "test"] => continue,
            other => panic!("the README shows {other:?}"),
        };
        let words: Vec<String> =
            words.iter().map(|w| if w.starts_with("profiles/") { text(w) } else { (*w).to_owned() }).collect();
        // The first command makes the tree; told again, it says what the session shows next.
        said.push_str(&place.kpki(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok().stdout);
        if run == 0 {
            fs::remove_dir_all(place.path("demo")).unwrap();
        }
        run += 1;
    }
    assert!(run >= 3, "{run}");
    // What the session shows is what comes out: verdicts, column titles, entries.
    for line in readme
        .lines()
        .filter(|line| ["created ", "nothing to do", "ENTRY ", "ca  "].iter().any(|s| line.starts_with(s)))
    {
        let words = |text: &str| text.split_whitespace().take(3).map(str::to_owned).collect::<Vec<_>>();
        assert!(said.lines().any(|shown| words(shown) == words(line)), "{line}");
    }
}

#[test]
fn the_readme_names_every_verb_package_and_status() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let mut verbs = Vec::new();
    for verb in cli::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let inner: Vec<_> =
            verb.get_subcommands().map(|sub| format!("kpki {} {}", verb.get_name(), sub.get_name())).collect();
        verbs.extend(if inner.is_empty() { vec![format!("kpki {}", verb.get_name())] } else { inner });
    }
    for verb in verbs {
        assert!(readme.contains(&format!("`{verb}")), "the README does not list `{verb}`");
    }
    let rows: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next()).collect();
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
