//! Holds the source against ARCHITECTURE.md: which room may import which, which crate lives in which room, and who may meet
//! the edges of the process. The tables below are the document; a new room or crate needs a line here first.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Rooms from top to bottom. A room imports only from rooms of a lower rank; rooms of one rank are strangers.
const RANKS: &[&[&str]] = &[
    &["main"],
    &["run"],
    &["cli"],
    &["commands"],
    &["report", "error"],
    &["plan", "audit"],
    &["ca", "store", "inventory", "hooks"],
    &["profile"],
    &["kubeconfig"],
    &["catalog", "x509", "encrypted"],
    &["encoding"],
    &["blueprint", "revocation", "clock", "files", "parallel"],
];

/// Upward imports that are meant, with their reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("cli", "run", "Environment is what run tells the words about the machine"),
    ("catalog", "blueprint", "usages are named as blueprints name them"),
];

/// Which rooms may name which crate. Crates that are not listed may be used anywhere (time, zeroize).
const CRATES: &[(&str, &[&str])] = &[
    ("rcgen", &["ca"]),
    ("aws_lc_rs", &["ca", "encrypted"]),
    ("cbc", &["encrypted"]),
    ("des", &["encrypted"]),
    ("rc2", &["encrypted"]),
    ("scrypt", &["encrypted"]),
    ("x509_parser", &["x509"]),
    ("webpki", &["x509"]),
    ("rustls_pki_types", &["x509", "ca"]),
    ("ring", &["x509"]),
    ("der", &["encoding"]),
    ("base64", &["encoding"]),
    ("saphyr_parser", &["encoding"]),
    ("tar", &["encoding"]),
    ("flate2", &["encoding"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("comfy_table", &["report"]),
    ("walkdir", &["inventory", "commands"]),
    ("rustix", &["files", "store", "run", "hooks"]),
    ("serde_json", &["report", "store", "commands"]),
    ("serde", &["report", "store", "commands"]),
];

/// Which rooms may use which part of the standard library.
const STD: &[(&str, &[&str])] = &[
    ("std::fs", &["files", "store"]),
    ("std::env", &["run"]),
    ("process::ExitCode", &["main", "run"]),
    ("process::Command", &["hooks"]),
    // encoding, report: the traits only, over bytes in memory and whatever the caller gives.
    ("std::io", &["run", "cli", "files", "store", "hooks", "encoding", "report"]),
    ("SystemTime", &["clock"]),
    ("now_utc", &["clock"]),
    ("println!", &[]),
    ("eprintln!", &[]),
    ("process::exit", &[]),
];

struct Source {
    path: PathBuf,
    room: String,
    /// The text without comments and without test modules.
    code: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files
        .into_iter()
        .filter(|path| !path.ends_with("lib.rs") && !is_test_file(path))
        .map(|path| {
            let first = path.strip_prefix(&root).unwrap().components().next().unwrap().as_os_str().to_owned();
            let room = first.to_string_lossy().trim_end_matches(".rs").to_owned();
            let code = production_code(&fs::read_to_string(&path).unwrap());
            Source { path, room, code }
        })
        .collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Files of tests only: `*_tests.rs`, `tests.rs`, and everything in a `tests` folder.
fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    name.ends_with("tests") || path.components().any(|c| c.as_os_str() == "tests")
}

/// Everything before the first `#[cfg(test)]` that opens a module, without comment lines.
fn production_code(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let end = lines
        .windows(2)
        .position(|pair| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod "))
        .unwrap_or(lines.len());
    lines[..end].iter().filter(|line| !line.trim_start().starts_with("//")).copied().collect::<Vec<_>>().join("\n")
}

fn rank(room: &str) -> Option<usize> {
    RANKS.iter().position(|rooms| rooms.contains(&room))
}

/// Room names after `crate::`, also in `crate::{a, b}`.
fn imported_rooms(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = &group[..group.find("};").unwrap_or(group.len())];
                let mut depth = 0;
                let mut word = String::new();
                for c in group.chars().chain([',']) {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            rooms.insert(first_word(word.trim()));
                            word.clear();
                        }
                        _ if depth == 0 => word.push(c),
                        _ => {}
                    }
                }
            }
            None => {
                rooms.insert(first_word(rest));
            }
        }
    }
    rooms.remove("");
    rooms
}

fn first_word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn every_file_is_in_a_known_room() {
    for source in sources() {
        assert!(rank(&source.room).is_some(), "{}: room {} is not in RANKS", source.path.display(), source.room);
    }
}

#[test]
fn rooms_import_only_from_below() {
    let mut wrong = Vec::new();
    for source in sources() {
        for imported in imported_rooms(&source.code) {
            let (Some(from), Some(to)) = (rank(&source.room), rank(&imported)) else { continue };
            let excepted = EXCEPTIONS.iter().any(|(a, b, _)| *a == source.room && *b == imported);
            if source.room != imported && to <= from && !excepted {
                wrong.push(format!("{}: {} imports {imported}", source.path.display(), source.room));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn heavy_crates_stay_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, rooms) in CRATES {
            let needle = format!("{name}::");
            let used = source.code.match_indices(&needle).any(|(at, _)| {
                let before = source.code[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            });
            // `use crate::encoding::base64` names a module of ours.
            let module = source.code.contains("use crate::encoding") && source.code.contains(name);
            if used && !module && !rooms.contains(&source.room.as_str()) {
                wrong.push(format!("{}: {name} belongs in {rooms:?}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_edges_of_the_process_are_met_in_their_rooms() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, rooms) in STD {
            if source.code.contains(name) && !rooms.contains(&source.room.as_str()) {
                wrong.push(format!("{}: {name} belongs in {rooms:?}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn main_fits_in_one_hand_and_no_file_is_two_rooms() {
    for source in sources() {
        let lines = fs::read_to_string(&source.path).unwrap().lines().count();
        let limit = if source.room == "main" { 15 } else { 450 };
        assert!(lines <= limit, "{}: {lines} lines", source.path.display());
    }
}

#[test]
fn the_document_lists_every_room() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap();
    for room in RANKS.iter().flat_map(|rooms| rooms.iter()) {
        assert!(document.contains(&format!("`{room}`")), "ARCHITECTURE.md does not mention `{room}`");
    }
}

#[test]
fn the_rules_can_fail() {
    assert_eq!(
        imported_rooms("use crate::{a::b, c::{d, e}, f};\nuse crate::g::h;"),
        ["a", "c", "f", "g"].map(str::to_owned).into()
    );
    assert!(production_code("a\n#[cfg(test)]\nmod tests {\nb\n}").trim() == "a");
    assert!(rank("store") == rank("ca") && rank("plan") < rank("ca"));
}
