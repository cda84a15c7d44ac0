//! Generations: what each commit replaced or removed, and which files it was the first to make. Together they show how the
//! tree was before any of them.

use std::collections::HashSet;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::files::{self, Dir, FileError, FileState, Kind, RelPath, What};
use crate::revocation::is_crl_file;

use super::error::StoreError;
use super::kept::GENERATIONS;
use super::roots::{RootId, Roots};
use super::{json, trust};

/// What a generation says of itself, beside the kept files.
/// Below the main directory: it follows from the recorded profile, as no other file does that is not the state's.
pub const MANIFEST: &str = "manifest.json";

pub(super) const RECORD: &str = "generation.json";
const VERSION: u64 = 1;
/// The number of the first commit in a tree.
pub(super) const FIRST: u64 = 1;
/// Of a record, which lists paths, and of a kept file: a key, a certificate or a kubeconfig.
const MAX_SIZE: u64 = 64 << 20;

/// What one commit replaced, removed and made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generation {
    pub name: String,
    /// What the commit said it was.
    pub note: Option<Value>,
    /// Files as they were before it.
    pub kept: Vec<(RootId, RelPath)>,
    /// Files that were not there before it.
    pub created: Vec<(RootId, RelPath)>,
    /// `false`: made by a kpki that kept no record, or the record is damaged. Then files it created are not known.
    pub recorded: bool,
    /// Commits in their order, whatever the clock said; 0 without a record.
    sequence: u64,
    /// The SHA-256 of the journal's last line when it was made; `None`: not known.
    pub journal: Option<String>,
}

/// `generation.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u64,
    sequence: u64,
    note: Option<Value>,
    created: Vec<File>,
    kept: Vec<File>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    journal: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    root: RootId,
    path: RelPath,
}

/// One file as it was.
#[derive(Clone, PartialEq, Eq)]
pub struct PriorFile {
    pub root: RootId,
    pub path: RelPath,
    /// Mode and bytes; `None`: there was no such file.
    pub content: Option<(u32, Zeroizing<Vec<u8>>)>,
}

/// The content may be a key.
impl std::fmt::Debug for PriorFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let size = self.content.as_ref().map(|(mode, bytes)| (format!("{mode:04o}"), bytes.len()));
        write!(f, "{}:{} {size:?}", self.root.name(), self.path)
    }
}

/// All generations, the newest first. What is damaged is listed with what can be known.
pub fn generations(roots: &Roots) -> Result<Vec<Generation>, StoreError> {
    let Some(all) = open(roots)? else { return Ok(Vec::new()) };
    let mut found = list(&all)?;
    for generation in &mut found {
        if let Some(dir) = all.child(&generation.name)? {
            walk(&dir, &mut generation.kept)?;
        }
        // A file that turned up after the decision is kept, though the commit was to be the first to make it.
        generation.created.retain(|file| !generation.kept.contains(file));
    }
    found.reverse();
    Ok(found)
}

/// What the tree has to become to be as it was before this generation's commit: the oldest content, or absence, of every
/// file that it or a later one touched. Only files that are `wanted` are read.
pub fn before_of(roots: &Roots, name: &str, wanted: impl Fn(&RelPath) -> bool) -> Result<Vec<PriorFile>, StoreError> {
    let unknown = || StoreError::NoGeneration(name.to_owned());
    let newest_first = generations(roots)?;
    let all = open(roots)?.ok_or_else(unknown)?;
    let at = newest_first.iter().position(|generation| generation.name == name).ok_or_else(unknown)?;
    let mut seen = HashSet::new();
    let mut was = Vec::new();
    for generation in newest_first.iter().take(at.saturating_add(1)).rev() {
        let kept = generation.kept.iter().map(|file| (file, true));
        for ((root, path), existed) in kept.chain(generation.created.iter().map(|file| (file, false))) {
            if wanted(path) && seen.insert((*root, path)) {
                let content = existed.then(|| content(&all, &generation.name, *root, path)).transpose()?;
                was.push(PriorFile { root: *root, path: path.clone(), content });
            }
        }
    }
    Ok(was)
}

fn content(all: &Dir, name: &str, root: RootId, path: &RelPath) -> Result<(u32, Zeroizing<Vec<u8>>), StoreError> {
    let full = RelPath::parse(name)?.join(&RelPath::parse(root.name())?).join(path);
    match files::read(all, &full, MAX_SIZE)? {
        FileState::File { bytes, mode, .. } => Ok((mode & 0o777, bytes)),
        // The record says it is there.
        FileState::Missing => Err(StoreError::NotKept { generation: name.to_owned(), path: path.clone() }),
    }
}

fn open(roots: &Roots) -> Result<Option<Dir>, StoreError> {
    let Some(kpki) = trust::open(roots)? else { return Ok(None) };
    trust::check_own(&kpki, GENERATIONS)?;
    Ok(kpki.child(GENERATIONS)?)
}

/// The generations with what their records say, the oldest first.
fn list(all: &Dir) -> Result<Vec<Generation>, StoreError> {
    let mut found = Vec::new();
    for entry in all.list()? {
        let Some(name) = entry.name.to_str().filter(|_| matches!(entry.what, What::Directory | What::Unknown)) else {
            continue;
        };
        let Some(dir) = directory(all, name)? else { continue };
        found.push(Generation { name: name.to_owned(), ..read(&dir)?.unwrap_or_default() });
    }
    found.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(found)
}

/// A directory of this name; anything else is not a generation. One that cannot be opened is no reason to go on
/// as if it were not there: an older one would be taken for the newest.
fn directory(above: &Dir, name: &str) -> Result<Option<Dir>, FileError> {
    match above.child(name) {
        Err(error) if matches!(error.kind, Kind::NotAFile(_) | Kind::NotADirectory(_) | Kind::SymlinkInTheWay) => {
            Ok(None)
        }
        other => other,
    }
}

/// The clock may have been turned back between two commits, so the name decides only where there is no record.
fn order(generation: &Generation) -> (u64, &str, u64) {
    let numbered = generation.name.rsplit_once('.').and_then(|(name, number)| Some((name, number.parse().ok()?)));
    let (name, number) = numbered.unwrap_or((&generation.name, 0));
    (generation.sequence, name, number)
}

/// The number of the next commit in a tree.
pub(super) fn next_sequence(kpki: &Dir) -> Result<u64, StoreError> {
    let Some(all) = kpki.child(GENERATIONS)? else { return Ok(FIRST) };
    Ok(list(&all)?.iter().map(|found| found.sequence).max().map_or(FIRST, |last| last.saturating_add(1)))
}

impl Generation {
    /// Nothing in it but CRLs, which are never restored.
    pub fn is_of_crls(&self) -> bool {
        let mut files = self.kept.iter().chain(&self.created).peekable();
        files.peek().is_some() && files.all(|(_, path)| is_crl_file(path.as_str()))
    }
}

/// Moves all but the newest generations of kpki's into another directory, which is about to be removed. Those of CRLs are
/// counted apart: however often one is issued, `restore` goes back as far.
pub(super) fn prune(kpki: &Dir, keep: usize, (made, pinned): (&str, &[String]), to: &Dir) -> Result<(), StoreError> {
    let Some(all) = kpki.child(GENERATIONS)? else { return Ok(()) };
    // A directory of another name is not kpki's.
    let ours: Vec<Generation> =
        list(&all)?.into_iter().filter(|found| found.recorded || is_stamped(&found.name)).collect();
    let (crls, others): (Vec<_>, Vec<_>) = ours.iter().rev().partition(|one| one.is_of_crls());
    let surplus = crls.into_iter().skip(keep).chain(others.into_iter().skip(keep));
    for old in surplus.filter(|old| old.name != made && !pinned.contains(&old.name)) {
        all.rename(&old.name, to, format!("old-{}", old.name))?;
    }
    Ok(())
}

/// `20261120T220101Z-...`
fn is_stamped(name: &str) -> bool {
    let shape = b"00000000T000000Z-";
    let fits = |(byte, shape): (u8, &u8)| if *shape == b'0' { byte.is_ascii_digit() } else { byte == *shape };
    name.len() > shape.len() && name.bytes().zip(shape).all(fits)
}

/// The kept files that lie in a generation, in the order of their paths, added to those already known.
fn walk(generation: &Dir, kept: &mut Vec<(RootId, RelPath)>) -> Result<(), StoreError> {
    let known: HashSet<_> = kept.iter().cloned().collect();
    for root in [RootId::Main].into_iter().chain(RootId::OUTSIDE) {
        let Some(dir) = directory(generation, root.name())? else { continue };
        let mut paths = Vec::new();
        below(&dir, None, &mut paths)?;
        paths.sort();
        kept.extend(paths.into_iter().map(|path| (root, path)).filter(|file| !known.contains(file)));
    }
    Ok(())
}

fn below(dir: &Dir, path: Option<&RelPath>, found: &mut Vec<RelPath>) -> Result<(), StoreError> {
    for entry in dir.list()? {
        let Some(name) = entry.name.to_str().and_then(|name| RelPath::parse(name).ok()) else { continue };
        let full = path.map_or_else(|| name.clone(), |path| path.join(&name));
        let what = match entry.what {
            What::Unknown => dir.facts(name.as_str())?.map_or(What::Unknown, |facts| facts.what),
            what => what,
        };
        match what {
            What::File => found.push(full),
            What::Directory => {
                if let Some(dir) = dir.child(name.as_str())? {
                    below(&dir, Some(&full), found)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `generation.json` of a commit. With its number, the digest of the journal's last line.
pub(super) fn record(
    (sequence, journal): (u64, Option<String>),
    note: Option<&str>,
    created: &[(RootId, RelPath)],
    kept: &[(RootId, RelPath)],
) -> Result<Vec<u8>, FileError> {
    let note = note.map(|note| serde_json::from_str(note).unwrap_or_else(|_| Value::String(note.to_owned())));
    let file = |(root, path): &(RootId, RelPath)| File { root: *root, path: path.clone() };
    let files = |files: &[(RootId, RelPath)]| files.iter().map(file).collect();
    let record = Record { version: VERSION, sequence, note, created: files(created), kept: files(kept), journal };
    json::text(&record, Path::new(RECORD))
}

/// The record in a generation; `None`: there is none, or it is damaged.
fn read(generation: &Dir) -> Result<Option<Generation>, StoreError> {
    match files::read(generation, &RelPath::parse(RECORD)?, MAX_SIZE) {
        Ok(FileState::File { bytes, .. }) => Ok(parse(&bytes)),
        Ok(FileState::Missing) => Ok(None),
        Err(error) if matches!(error.kind, Kind::NotAFile(_) | Kind::SymlinkInTheWay | Kind::TooLarge(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn parse(bytes: &[u8]) -> Option<Generation> {
    let record: Record = serde_json::from_slice(bytes).ok().filter(|record: &Record| record.version == VERSION)?;
    let files = |files: Vec<File>| files.into_iter().map(|file| (file.root, file.path)).collect();
    Some(Generation {
        name: String::new(),
        note: record.note,
        kept: files(record.kept),
        created: files(record.created),
        recorded: true,
        sequence: record.sequence,
        journal: record.journal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_kpki_0_1_0_is_read_and_written_again_byte_for_byte() {
        let text = include_str!("../../fixtures/state/0.1.0/generation.json");
        let found = parse(text.as_bytes()).unwrap();
        let note = found.note.as_ref().unwrap().to_string();
        let written =
            record((found.sequence, found.journal.clone()), Some(&note), &found.created, &found.kept).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), text);
        let later = text.replace("\"version\":1", "\"version\":2");
        assert_eq!(parse(later.as_bytes()), None);
    }
}
