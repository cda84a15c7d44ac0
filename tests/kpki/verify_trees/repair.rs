//! What `kpki verify` prints is typed as it is printed, and the finding is gone.

use serde_json::Value;

use super::bases::Base;
use super::{Row, TABLES};
use crate::advice::Host;
use crate::harness::NOW;

/// Rows whose findings stay, and why.
const STAY: &[(&str, &str)] = &[(
    "an interrupted run",
    "its mark is that of another tree; tests/kpki/interrupted_import.rs has real ones completed",
)];

/// Rule, file and commands of each finding with a command that changes something.
fn repairs(host: &Host, words: &[&str]) -> Vec<(String, String, Vec<String>)> {
    let run = host.place.kpki(&[&["verify", "t", "-o", "json", "--at", NOW], words].concat());
    let document = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = document["clusters"][0]["findings"].as_array().unwrap();
    let one = |one: &Value| {
        let commands: Vec<String> = one["commands"].as_array().unwrap().iter().map(text).collect();
        (text(&one["rule"]), text(&one["path"]), commands)
    };
    let looks = |command: &String| command.starts_with("kpki inspect ");
    findings.iter().map(one).filter(|(.., commands)| !commands.iter().all(looks)).collect()
}

/// What is left of the findings, and what the commands said.
fn left(row: &Row, base: Base) -> Option<String> {
    if row.needs_root && !rustix::process::geteuid().is_root() {
        return None;
    }
    let tree = base.copy();
    (row.fault)(&tree);
    let host = Host::around(tree.place);
    let before = repairs(&host, row.words);
    let mut said = String::new();
    for command in before.iter().flat_map(|(.., commands)| commands) {
        let run = host.sh(command);
        said += &format!("    {command}: {:?} {}\n", run.status, run.stderr.trim_end());
    }
    let after = repairs(&host, row.words);
    let stays: Vec<&(String, String, Vec<String>)> = before
        .iter()
        .filter(|(rule, path, _)| after.iter().any(|(found, at, _)| found == rule && at == path))
        .collect();
    (!stays.is_empty()).then(|| format!("{} ({base:?}): {stays:?}\n{said}", row.name))
}

#[test]
fn what_is_printed_repairs_what_was_found() {
    let rows: Vec<&Row> = TABLES.iter().copied().flatten().collect();
    let stays = |row: &&&Row| STAY.iter().any(|(name, _)| *name == row.name);
    let wrong: Vec<String> = rows
        .iter()
        .filter(|row| !stays(row))
        .flat_map(|row| row.bases.iter().filter_map(|base| left(row, *base)))
        .collect();
    assert!(wrong.is_empty(), "{} stay\n{}", wrong.len(), wrong.concat());
    for (name, why) in STAY {
        assert!(!why.is_empty() && rows.iter().any(|row| row.name == *name), "{name}");
        let row = rows.iter().find(|row| row.name == *name).unwrap();
        assert!(row.bases.iter().any(|base| left(row, *base).is_some()), "{name} need not be an exception");
    }
}
