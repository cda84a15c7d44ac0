//! `kpki verify` over trees with one fault each: exactly its cause, and nothing else. The tables are beside this file, by what is
//! broken; a rule without a row fails.

mod bases;
mod certificates;
mod clean;
mod components;
mod crls;
mod files;
mod forge;
mod hostile;
mod layouts;
mod makers;
mod pairs;
mod repair;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{NOW, Place};
use bases::{Base, Tree};

/// One fault.
pub struct Row {
    pub name: &'static str,
    pub bases: &'static [Base],
    pub fault: fn(&Tree),
    /// Further words of the command line.
    pub words: &'static [&'static str],
    /// Rule and file of each finding, the worst first: several only where several files are wrong.
    pub found: &'static [(&'static str, &'static str)],
    /// The end of what was not looked at.
    pub skipped: &'static [&'static str],
    pub status: i32,
    /// Nobody else can break it so.
    pub needs_root: bool,
}

pub const BOTH: &[Base] = &[Base::Kubeadm, Base::Node];
pub const NODE: &[Base] = &[Base::Node];
pub const KUBEADM: &[Base] = &[Base::Kubeadm];
pub const CLUSTER: &[Base] = &[Base::Cluster];

impl Row {
    /// An error in one file.
    pub const fn new(
        name: &'static str,
        bases: &'static [Base],
        found: &'static [(&'static str, &'static str)],
        fault: fn(&Tree),
    ) -> Self {
        Self { name, bases, fault, words: &[], found, skipped: &[], status: 4, needs_root: false }
    }

    pub const fn status(self, status: i32) -> Self {
        Self { status, ..self }
    }

    pub const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    pub const fn by_root(self) -> Self {
        Self { needs_root: true, ..self }
    }

    pub const fn skips(self, skipped: &'static [&'static str]) -> Self {
        Self { skipped, ..self }
    }
}

const TABLES: &[&[Row]] = &[files::ROWS, pairs::ROWS, certificates::ROWS, crls::ROWS, components::ROWS];

/// What `kpki verify` says of the tree `t`: rule and file of each finding that no other explains, what was not looked at, status.
pub fn verify(place: &Place, words: &[&str]) -> (Vec<(String, String)>, Vec<String>, i32) {
    let run = place.kpki(&[&["verify", "t", "-o", "json", "--at", NOW], words].concat());
    assert!(!run.wrote, "it wrote something");
    assert_eq!(run.stderr, "");
    let text = |value: &Value| value.as_str().unwrap().strip_prefix("t/").unwrap_or(value.as_str().unwrap()).to_owned();
    let document = run.json();
    let cluster = &document["clusters"][0];
    let of = |list: &Value| list.as_array().unwrap().clone();
    let found = of(&cluster["findings"]).iter().map(|one| (text(&one["rule"]), text(&one["path"]))).collect();
    let skipped = of(&cluster["notLookedAt"])
        .iter()
        .map(|one| format!("{}: {}", text(&one["path"]), text(&one["why"])))
        .collect();
    (found, skipped, run.status)
}

fn wrong(row: &Row, base: Base) -> Option<String> {
    if row.needs_root && !rustix::process::geteuid().is_root() {
        return None;
    }
    let tree = base.copy();
    (row.fault)(&tree);
    let (found, skipped, status) = verify(&tree.place, row.words);
    let wanted: Vec<(String, String)> =
        row.found.iter().map(|(rule, path)| ((*rule).to_owned(), (*path).to_owned())).collect();
    let is_skipped = skipped.len() == row.skipped.len()
        && skipped.iter().zip(row.skipped).all(|(one, start)| one.starts_with(start));
    let is_right = found == wanted && is_skipped && status == row.status;
    (!is_right).then(|| {
        format!(
            "{} ({base:?}): expected {wanted:?}, status {}\n  found {found:?} {skipped:?}, status {status}\n",
            row.name, row.status
        )
    })
}

#[test]
fn each_fault_gives_exactly_its_cause() {
    let rows = TABLES.iter().copied().flatten();
    let found: Vec<String> = rows.flat_map(|row| row.bases.iter().filter_map(|base| wrong(row, *base))).collect();
    assert!(found.is_empty(), "{} of them are wrong\n{}", found.len(), found.concat());
}

#[test]
fn every_rule_has_a_tree_that_breaks_it() {
    let rows: Vec<&Row> = TABLES.iter().copied().flatten().collect();
    assert!(rows.len() >= 40, "{}", rows.len());
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    let broken: BTreeSet<&str> = rows.iter().flat_map(|row| row.found).map(|(rule, _)| *rule).collect();
    // What is served is no file: tests/kpki/verify_live.rs breaks those, and verify.rs the profile.
    let is_of_files = |id: &&str| !id.starts_with("served/") && *id != "state/profile";
    let of_files = kpki::verify::all().map(|rule| rule.id).filter(is_of_files);
    let without: Vec<&str> = of_files.filter(|id| !broken.contains(id)).collect();
    assert!(without.is_empty(), "no row breaks {without:?}");
}
