//! The documents of docs/, run as they stand: each block in its order, in one directory.
//!
//! - `sh`: a script for bash; the first command that fails ends the test.
//! - `yaml` with a first line `# FILE`: written to that file.
//! - `console`: every line after `$ ` is run; what stands below it is what it says, line by line. `...` stands for any lines; words
//!   that tell of time, numbers and fingerprints are not compared.
//! - `text`: shown only.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::harness::{Place, repository};

/// A program that is not here, such as ssh or systemctl: its name and what stands in for it, a script.
type StandIn<'a> = (&'a str, &'a str);

#[derive(Debug, PartialEq)]
struct Block {
    language: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some(Block { language: language.to_owned(), text: String::new() }),
            (Some(_), Some("")) => found.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block without an end");
    found
}

/// Runs `docs/NAME.md`. `before` prepares the directory.
pub fn run(name: &str, programs: &[StandIn<'_>], before: impl FnOnce(&Place)) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("bin")).unwrap();
    for (program, script) in programs {
        let path = place.write(&format!("bin/{program}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    before(&place);
    let document = fs::read_to_string(repository(&format!("docs/{name}.md"))).unwrap();
    let blocks = blocks(&document);
    assert!(!blocks.is_empty(), "docs/{name}.md has nothing to run");
    for block in blocks {
        match block.language.as_str() {
            "sh" => drop(said(&place, &block.text)),
            "yaml" => {
                let file = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
                let file = file.unwrap_or_else(|| panic!("docs/{name}.md: which file? {}", block.text));
                place.write(file, &block.text);
            }
            "console" => console(&place, &block.text),
            "text" => {}
            other => panic!("docs/{name}.md: a block of {other:?}"),
        }
    }
    place
}

fn said(place: &Place, script: &str) -> String {
    let kpki = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", place.path("bin").display(), kpki.display());
    let mut bash = Command::new("/bin/bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(place.path("")).env("PATH", path).env("COLUMNS", "80");
    let run = bash.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{script}\n{}\n{out}{err}", run.status);
    format!("{out}{err}")
}

fn console(place: &Place, block: &str) {
    for session in format!("\n{block}").split("\n$ ").skip(1) {
        let (command, shown) = session.split_once('\n').unwrap_or((session, ""));
        let said = said(place, command);
        let mut lines = said.lines();
        let mut any = false;
        for line in shown.lines() {
            if line.trim() == "..." {
                any = true;
                continue;
            }
            let is_it = |other: &str| words(other) == words(line);
            let found = if any { lines.any(is_it) } else { lines.next().is_some_and(is_it) };
            assert!(found, "{command}\nshown: {line}\nsaid:\n{said}");
            any = false;
        }
        assert!(any || shown.is_empty() || lines.next().is_none(), "{command} says more than is shown:\n{said}");
    }
}

/// The words of a line but those that another run has otherwise: all with a digit, and what `...` cuts off.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().filter(|word| !word.contains(|c: char| c.is_ascii_digit()) && *word != "...").collect()
}

#[test]
fn add_a_name() {
    run("add-a-name", &[], |_| {});
}

#[test]
fn renewal_policy() {
    let place = run("renewal-policy", &[], |_| {});
    assert!(place.read("issued.csv").lines().count() > 10);
}
