//! The documents of docs/, run as they stand: each block in its order, in one directory.
//!
//! - `sh`: a script for bash; the first command that fails ends the test.
//! - `console`: every line after `$ ` is run; what stands below it is what it says, line by line. `...` stands for any lines, at
//!   the end of a line for the rest of it; words that tell of time, numbers and fingerprints are not compared. A command that ends
//!   in `# exit status N` ends with that.
//! - `text`: shown only; no command of kpki's.
//! - any other language: a file; its first line is `# FILE`.
//!
//! The directories of `ELSEWHERE` are below the test's.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::harness::{Place, repository};

/// A program that is not here, such as ssh or systemctl: its name and what stands in for it, a script.
type StandIn<'a> = (&'a str, &'a str);

const ELSEWHERE: [&str; 3] = ["/secure/", "/etc/systemd/", "/etc/cron.d/"];

#[derive(Debug, PartialEq)]
pub struct Block {
    pub language: String,
    pub text: String,
}

pub fn blocks(document: &str) -> Vec<Block> {
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
    run_file(&format!("docs/{name}.md"), programs, before)
}

/// The same for any document.
pub fn run_file(path: &str, programs: &[StandIn<'_>], before: impl FnOnce(&Place)) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("bin")).unwrap();
    for (program, script) in programs {
        let path = place.write(&format!("bin/{program}"), format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    before(&place);
    let mut document = fs::read_to_string(repository(path)).unwrap();
    for dir in ELSEWHERE {
        document = document.replace(dir, &format!("{}/", place.path(dir.trim_matches('/')).display()));
    }
    let blocks = blocks(&document);
    assert!(!blocks.is_empty(), "{path} has nothing to run");
    for block in blocks {
        match block.language.as_str() {
            "sh" => drop(said(&place, &block.text, 0)),
            "console" => console(&place, &block.text),
            "text" => assert!(!block.text.contains("kpki "), "{path}: a command that is not run: {}", block.text),
            _ => {
                let file = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
                let file = file.unwrap_or_else(|| panic!("{path}: which file? {}", block.text));
                place.write(file, &block.text);
            }
        }
    }
    place
}

pub fn said(place: &Place, script: &str, status: i32) -> String {
    let kpki = Path::new(env!("CARGO_BIN_EXE_kpki")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", place.path("bin").display(), kpki.display());
    let mut bash = Command::new("/bin/bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(place.path("")).env("PATH", path).env_remove("COLUMNS");
    let run = bash
        .env("HOME", place.path(""))
        .env("REPOSITORY", repository(""))
        .env("KPKI", env!("CARGO_BIN_EXE_kpki"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(status), "{script}\n{out}{err}");
    format!("{out}{err}")
}

fn console(place: &Place, block: &str) {
    for session in format!("\n{block}").split("\n$ ").skip(1) {
        let (command, shown) = session.split_once('\n').unwrap_or((session, ""));
        let status = command.split_once("# exit status ").map_or(0, |(_, number)| number.trim().parse().unwrap());
        let said = said(place, command, status);
        let mut lines = said.lines();
        let mut any = false;
        for line in shown.lines() {
            if line.trim() == "..." {
                any = true;
                continue;
            }
            let is_it = |other: &str| is_line(line, other);
            let found = if any { lines.any(is_it) } else { lines.next().is_some_and(is_it) };
            assert!(found, "{command}\nshown: {line}\nsaid:\n{said}");
            any = false;
        }
        assert!(any || shown.is_empty() || lines.next().is_none(), "{command} says more than is shown:\n{said}");
    }
}

/// A shown line that ends in `...` is the beginning of a line.
fn is_line(shown: &str, said: &str) -> bool {
    let (shown_words, said) = (words(shown), words(said));
    if shown.ends_with(" ...") { said.starts_with(&shown_words) } else { said == shown_words }
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The words of a line but those that another run has otherwise: all with a digit, months, and what `...` cuts off.
fn words(line: &str) -> Vec<&str> {
    let is_other = |word: &str| word.contains(|c: char| c.is_ascii_digit()) || MONTHS.contains(&word) || word == "...";
    line.split_whitespace().filter(|word| !is_other(word)).collect()
}

#[test]
fn what_is_shown_is_compared() {
    for (shown, said, is_same) in [
        ("ok: 3 nodes, in ./cluster", "ok: 4 nodes, in ./cluster", true),
        ("ends Nov 20, 2027", "ends Mar 1, 2031", true),
        ("ok: 3 nodes", "ok: 3 nodes, and one that waits", false),
        ("ok: ...", "ok: 3 nodes, and one that waits", true),
        ("waiting: ...", "ok: 3 nodes", false),
        ("created in ./a", "created in ./b", false),
    ] {
        assert_eq!(is_line(shown, said), is_same, "{shown} {said}");
    }
    let place = Place::new();
    console(&place, "$ echo one; echo two\n...\ntwo\n$ exit 3    # exit status 3\n");
    for wrong in
        ["$ echo one\ntwo\n", "$ echo one; echo two\none\n", "$ exit 3\n", "$ echo one; echo two\n...\nthree\n"]
    {
        let run = std::panic::catch_unwind(|| console(&place, wrong));
        assert!(run.is_err(), "{wrong}");
    }
}
