//! Every rule as a function from the source to what is against it.

use super::house::{Expanded, File, House, Segments};
use super::rules::{LONGEST_FILE, LONGEST_MAIN};

/// Something that is against a rule. The key is what a list of exceptions would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub key: String,
    pub text: String,
}

impl Violation {
    pub fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self { key: key.into(), text: text.into() }
    }
}

pub type Permitted<'a> = &'a [(&'a str, &'a [&'a str])];

/// What is against the rule beside its exceptions, and the exceptions that are not needed.
pub fn unexcused(violations: Vec<Violation>, exceptions: &[&str]) -> Vec<String> {
    let stale = exceptions.iter().filter(|key| violations.iter().all(|one| one.key != **key));
    let mut found: Vec<String> = stale.map(|key| format!("not needed any more, remove it: {key:?}")).collect();
    let open = violations.iter().filter(|one| !exceptions.contains(&one.key.as_str()));
    found.extend(open.map(|one| format!("{:?}: {}", one.key, one.text)));
    found
}

fn rank(ranks: &[&[&str]], room: &str) -> Option<usize> {
    ranks.iter().position(|rooms| rooms.contains(&room))
}

pub fn unknown_rooms(house: &House, ranks: &[&[&str]]) -> Vec<Violation> {
    let unknown = house.files.values().filter(|file| file.path != "lib.rs" && rank(ranks, file.room()).is_none());
    unknown.map(|file| Violation::new(file.room(), &file.path)).collect()
}

/// Imports from a room that is not below.
pub fn upward_imports(house: &House, ranks: &[&[&str]]) -> Vec<Violation> {
    each_path(house, |file, path| {
        let Expanded::Ours(path) = path else { return None };
        let (from, to) = (file.room(), path.first()?.as_str());
        let (above, below) = (rank(ranks, from)?, rank(ranks, to)?);
        (from != to && below <= above).then(|| format!("{from} -> {to}"))
    })
}

/// Names of crates outside of their rooms.
pub fn strayed_crates(house: &House, crates: Permitted<'_>) -> Vec<Violation> {
    each_path(house, |file, path| {
        let Expanded::Foreign(path) = path else { return None };
        let (name, rooms) = crates.iter().find(|(name, _)| path[0] == *name)?;
        (!rooms.contains(&file.room())).then(|| format!("{name} in {}", file.path))
    })
}

/// Parts of the standard library outside of their rooms.
pub fn strayed_edges(house: &House, edges: Permitted<'_>) -> Vec<Violation> {
    let mut found = each_path(house, |file, path| {
        let Expanded::Foreign(path) = path else { return None };
        let (name, rooms) = edges.iter().find(|(name, _)| contains(path, name))?;
        (!rooms.contains(&file.room())).then(|| format!("{name} in {}", file.path))
    });
    for file in house.files.values() {
        for (name, rooms) in edges {
            let called = name.strip_suffix('!').is_some_and(|name| file.macros.contains(name));
            if called && !rooms.contains(&file.room()) {
                found.push(Violation::new(format!("{name} in {}", file.path), "a macro"));
            }
        }
    }
    found
}

fn contains(path: &Segments, part: &str) -> bool {
    let part: Vec<&str> = part.split("::").collect();
    path.windows(part.len()).any(|window| window == part)
}

/// Names of ours outside of the files that may say them.
pub fn past_doors(house: &House, doors: Permitted<'_>) -> Vec<Violation> {
    each_path(house, |file, path| {
        let Expanded::Ours(path) = path else { return None };
        let path = path.join("::");
        let (_, places) = doors.iter().find(|(name, _)| path == *name || path.starts_with(&format!("{name}::")))?;
        (!places.iter().any(|place| file.path.starts_with(place))).then(|| file.path.clone())
    })
}

/// Imports of one verb by another: of a file or folder of `commands/` by another.
pub fn verbs_that_import_verbs(house: &House) -> Vec<Violation> {
    each_path(house, |file, path| {
        let Expanded::Ours(path) = path else { return None };
        let target = house.definer(path)?;
        let (from, to) = (verb(file)?, verb(target)?);
        (from != to).then(|| format!("{from} -> {to}"))
    })
}

fn verb(file: &File) -> Option<&str> {
    let below = file.path.strip_prefix("commands/")?;
    let name = below.split('/').next()?.trim_end_matches(".rs");
    (name != "mod").then_some(name)
}

/// Files of `commands/` that are too long.
pub fn long_verbs(house: &House, longest: usize) -> Vec<Violation> {
    let verbs = house.files.values().filter(|file| file.room() == "commands" && file.lines > longest);
    verbs.map(|file| Violation::new(&file.path, format!("{} lines", file.lines))).collect()
}

/// The lines of the file in the middle of `commands/`.
pub fn median_of_verbs(house: &House) -> usize {
    let mut lines: Vec<usize> =
        house.files.values().filter(|file| file.room() == "commands").map(|file| file.lines).collect();
    lines.sort_unstable();
    lines.get(lines.len() / 2).copied().unwrap_or_default()
}

pub fn long_files(house: &House) -> Vec<Violation> {
    let limit = |file: &File| if file.path == "main.rs" { LONGEST_MAIN } else { LONGEST_FILE };
    let long = house.files.values().filter(|file| file.lines > limit(file));
    long.map(|file| Violation::new(&file.path, format!("{} lines", file.lines))).collect()
}

/// One violation for every path that this function gives a key.
fn each_path(house: &House, key: impl Fn(&File, &Expanded) -> Option<String>) -> Vec<Violation> {
    let mut found = Vec::new();
    for file in house.files.values() {
        for (path, line) in house.named(file, true) {
            let (Expanded::Ours(names) | Expanded::Foreign(names)) = &path;
            let text = || format!("{}:{line} names {}", file.path, names.join("::"));
            found.extend(key(file, &path).map(|key| Violation::new(key, text())));
        }
    }
    found
}
