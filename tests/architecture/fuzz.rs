//! The fuzz targets are a workspace of their own, which nobody builds every day: that its lock is the program's, and that no target is
//! forgotten, is seen here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Versions by name.
type Versions = BTreeMap<String, BTreeSet<String>>;

/// Of every package of a lock.
fn locked(lock: &str) -> Versions {
    let mut all = Versions::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| package.lines().find_map(|line| line.strip_prefix(key)?.strip_suffix('"'));
        if let (Some(name), Some(version)) = (value("name = \""), value("version = \"")) {
            all.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    all
}

/// The packages that the program names in its manifest.
fn dependencies(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter_map(|line| Some(line.split_once(" =")?.0)).collect()
}

/// Packages that the fuzz targets' lock has in another version than the program's, also below others, or lacks. What only the
/// program's tests need is in one of them.
fn stale(manifest: &str, program: &str, fuzz: &str) -> Vec<String> {
    let (program, fuzz) = (locked(program), locked(fuzz));
    let named = dependencies(manifest);
    let is_stale = |(name, versions): &(&String, &BTreeSet<String>)| match fuzz.get(*name) {
        Some(there) => !versions.is_subset(there),
        None => named.contains(&name.as_str()),
    };
    program.iter().filter(is_stale).map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_fuzz_targets_are_built_of_what_the_program_is() {
    let found = stale(&read("Cargo.toml"), &read("Cargo.lock"), &read("fuzz/Cargo.lock"));
    assert!(
        found.is_empty(),
        "fuzz/Cargo.lock is not Cargo.lock's in {found:?}; run in fuzz/: cargo update -p NAME --precise VERSION"
    );
}

#[test]
fn every_fuzz_target_is_in_the_manifest() {
    let manifest = read("fuzz/Cargo.toml");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let mut count = 0;
    for file in fs::read_dir(directory).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}\"")), "{name}");
        count += 1;
    }
    assert_eq!(manifest.matches("[[bin]]").count(), count);
}

#[test]
fn a_stale_lock_is_seen() {
    let manifest = "[package]\n[dependencies]\na = \"1\"\nb = { version = \"2\" }\n\n[features]\nc = []\n";
    let lock = |b: &str| {
        format!("[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"b\"\nversion = \"{b}\"\n")
    };
    assert_eq!(stale(manifest, &lock("2.0.0"), &lock("2.0.0")), Vec::<String>::new());
    assert_eq!(stale(manifest, &lock("2.0.1"), &lock("2.0.0")), ["b"]);
    assert_eq!(stale(manifest, &lock("2.0.0"), ""), ["a", "b"]);
    // One that the manifest does not name.
    let below = |version: &str| format!("{}\n[[package]]\nname = \"d\"\nversion = \"{version}\"\n", lock("2.0.0"));
    assert_eq!(stale(manifest, &below("1.5.4"), &below("1.5.5")), ["d"]);
    assert_eq!(stale(manifest, &below("1.5.4"), &lock("2.0.0")), Vec::<String>::new());
}
