//! Holds the source against ARCHITECTURE.md: which room may import which, which crate lives in which room, who may meet the
//! edges of the process, and that no imports go in a circle. `rules.rs` is the document; `negative.rs` shows that every rule
//! can fail.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod checks;
mod circles;
mod fuzz;
mod house;
mod negative;
mod rules;
mod tokens;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use checks::{Violation, unexcused};
use house::House;

static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let sources = sources();
    House::new(sources.iter().map(|(path, text)| (path.as_str(), text.as_str())))
});

/// Every file of `src/` that is built for users, with its text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"));
    let named = files.map(|entry| {
        let path = entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        (path, fs::read_to_string(entry.path()).unwrap())
    });
    named.filter(|(path, _)| !is_test_file(path)).collect()
}

/// Files of tests only: `*_tests.rs`, `tests.rs`, and everything in a `tests` folder.
fn is_test_file(path: &str) -> bool {
    path.ends_with("tests.rs") || path.split('/').any(|part| part == "tests")
}

#[track_caller]
fn holds(violations: Vec<Violation>, exceptions: &[&str]) {
    let found = unexcused(violations, exceptions);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_file_is_in_a_known_room() {
    holds(checks::unknown_rooms(&HOUSE, rules::RANKS), &[]);
}

#[test]
fn rooms_import_only_from_below() {
    holds(checks::upward_imports(&HOUSE, rules::RANKS), rules::UPWARD);
}

#[test]
fn heavy_crates_stay_in_their_rooms() {
    holds(checks::strayed_crates(&HOUSE, rules::CRATES), &[]);
}

#[test]
fn the_edges_of_the_process_are_met_in_their_rooms() {
    holds(checks::strayed_edges(&HOUSE, rules::EDGES), &[]);
}

#[test]
fn signing_and_publishing_have_one_way_each() {
    holds(checks::past_doors(&HOUSE, rules::DOORS), rules::PAST_DOORS);
}

#[test]
fn no_imports_go_in_a_circle() {
    holds(circles::circles(&HOUSE), rules::KNOWN_CIRCLES);
}

#[test]
fn no_verb_imports_another() {
    holds(checks::verbs_that_import_verbs(&HOUSE), rules::KNOWN_VERBS);
}

#[test]
fn verbs_are_short() {
    println!("median of src/commands: {} lines", checks::median_of_verbs(&HOUSE));
    holds(checks::long_verbs(&HOUSE, rules::LONGEST_VERB), rules::LONG_VERBS);
}

#[test]
fn main_fits_in_one_hand_and_no_file_is_two_rooms() {
    holds(checks::long_files(&HOUSE), &[]);
}

#[test]
fn the_document_lists_every_room() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    for file in HOUSE.files.values().filter(|file| file.path != "lib.rs") {
        assert!(document.contains(&format!("`{}`", file.room())), "ARCHITECTURE.md does not mention `{}`", file.room());
    }
}
