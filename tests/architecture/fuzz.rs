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

/// A package of a lock, and what it is made of: `NAME`, or `NAME VERSION` where there are several.
struct Locked<'a> {
    name: &'a str,
    version: &'a str,
    dependencies: Vec<&'a str>,
}

fn locked(lock: &str) -> Vec<Locked<'_>> {
    let package = |text| {
        let lines = || str::lines(text);
        let value = |key: &str| lines().find_map(|line| line.strip_prefix(key)?.strip_suffix('"'));
        let dependencies = lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        let (name, version) = value("name = \"").zip(value("version = \""))?;
        Some(Locked { name, version, dependencies: dependencies.collect() })
    };
    lock.split("[[package]]").skip(1).filter_map(package).collect()
}

/// The packages that these are made of, themselves among them; not those that only the program's tests need.
fn built_of<'a>(packages: &'a [Locked<'a>], named: &[&str]) -> Versions {
    let mut all = Versions::new();
    let is_named = |dependency: &&str| named.iter().any(|name| dependency.split(' ').next() == Some(name));
    let program = packages.iter().filter(|package| package.name == "kpki");
    let mut rest: Vec<&str> =
        program.flat_map(|package| package.dependencies.iter().copied()).filter(is_named).collect();
    while let Some(wanted) = rest.pop() {
        let (name, version) = wanted.split_once(' ').map_or((wanted, None), |(name, version)| (name, Some(version)));
        let is_wanted =
            |package: &&Locked<'_>| package.name == name && version.is_none_or(|version| package.version == version);
        for package in packages.iter().filter(is_wanted) {
            if all.entry(name.to_owned()).or_default().insert(package.version.to_owned()) {
                rest.extend(&package.dependencies);
            }
        }
    }
    all
}

/// The packages that the program names in its manifest.
fn dependencies(manifest: &str) -> Vec<&str> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    lines.take_while(|line| !line.starts_with('[')).filter_map(|line| Some(line.split_once(" =")?.0)).collect()
}

/// Packages that the fuzz targets' lock has in another version than the program's, also below others, or lacks.
fn stale(manifest: &str, program: &str, fuzz: &str) -> Vec<String> {
    let (program, fuzz) = (locked(program), locked(fuzz));
    let named = dependencies(manifest);
    let is_stale = |(name, versions): &(&String, &BTreeSet<String>)| {
        let there: Vec<&str> = fuzz.iter().filter(|one| one.name == *name).map(|one| one.version).collect();
        if there.is_empty() {
            named.contains(&name.as_str())
        } else {
            !versions.iter().all(|version| there.contains(&version.as_str()))
        }
    };
    built_of(&program, &named).iter().filter(is_stale).map(|(name, _)| name.clone()).collect()
}

#[test]
fn the_fuzz_targets_are_built_of_what_the_program_is() {
    let (manifest, lock) = (read("Cargo.toml"), read("Cargo.lock"));
    let named = dependencies(&manifest);
    let built = built_of(&locked(&lock), &named);
    assert!(!named.is_empty() && named.iter().all(|name| built.contains_key(*name)), "{built:?}");
    let found = stale(&manifest, &lock, &read("fuzz/Cargo.lock"));
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
    let package = |name: &str, version: &str, dependencies: &[&str]| {
        let dependencies: String = dependencies.iter().map(|name| format!(" \"{name}\",\n")).collect();
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [\n{dependencies}]\n\n")
    };
    let program = |more: &[&str]| package("kpki", "0.1.0", &[&["a", "b"], more].concat());
    let lock = |b: &str| program(&[]) + &package("a", "1.0.0", &["d"]) + &package("b", b, &[]);
    assert_eq!(stale(manifest, &lock("2.0.0"), &lock("2.0.0")), Vec::<String>::new());
    assert_eq!(stale(manifest, &lock("2.0.1"), &lock("2.0.0")), ["b"]);
    assert_eq!(stale(manifest, &lock("2.0.0"), ""), ["a", "b"]);
    // One that the manifest does not name.
    let below = |version: &str| lock("2.0.0") + &package("d", version, &[]);
    assert_eq!(stale(manifest, &below("1.5.4"), &below("1.5.5")), ["d"]);
    assert_eq!(stale(manifest, &below("1.5.4"), &lock("2.0.0")), Vec::<String>::new());
    // One that is there twice: the tests need the older.
    let a = |d: &str| package("a", "1.0.0", &[d]) + &package("b", "2.0.0", &[]);
    let both = |d: &str| program(&["test"]) + &a(d) + &package("test", "1.0.0", &["d 1.5.4"]);
    let twice = |d: &str| both(d) + &package("d", "1.5.4", &[]) + &package("d", "2.0.0", &[]);
    let fuzz = program(&[]) + &a("d") + &package("d", "2.0.0", &[]);
    assert_eq!(stale(manifest, &twice("d 2.0.0"), &fuzz), Vec::<String>::new());
    assert_eq!(stale(manifest, &twice("d 1.5.4"), &fuzz), ["d"]);
}
