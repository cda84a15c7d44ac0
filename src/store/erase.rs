//! Kept files that are destroyed: a key that nobody is to have any more stays in no generation. The transaction that says so in
//! the journal removes them, so that a run that is interrupted is finished by the next one.

use crate::files::{Dir, FileError, RelPath, What};

use super::error::StoreError;
use super::kept::GENERATIONS;
use super::mark::Removal;
use super::outer::UNDELIVERED;
use super::roots::{RootId, Roots};
use super::trust;

/// Every file that generations keep, and that could not be delivered: paths below `.kpki`, sorted.
///
/// # Errors
/// A directory cannot be read: what is in it is not known.
pub fn kept_files(roots: &Roots) -> Result<Vec<RelPath>, StoreError> {
    let Some(kpki) = trust::open(roots)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for name in [GENERATIONS, UNDELIVERED] {
        if let Some(dir) = kpki.child(name)? {
            below(&dir, &RelPath::parse(name)?, &mut found)?;
        }
    }
    found.sort();
    Ok(found)
}

fn below(dir: &Dir, path: &RelPath, found: &mut Vec<RelPath>) -> Result<(), StoreError> {
    for entry in dir.list()? {
        let Some(name) = entry.name.to_str().and_then(|name| RelPath::parse(name).ok()) else { continue };
        let what = match entry.what {
            What::Unknown => dir.facts(name.as_str())?.map_or(What::Unknown, |facts| facts.what),
            what => what,
        };
        match what {
            What::File => found.push(path.join(&name)),
            What::Directory => {
                if let Some(child) = dir.child(name.as_str())? {
                    below(&child, &path.join(&name), found)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Their removals. A file that is gone already is none.
pub(super) fn removals(kpki: &Dir, erasures: &[RelPath]) -> Result<Vec<Removal>, StoreError> {
    let mut all = Vec::with_capacity(erasures.len());
    for path in erasures {
        if ![GENERATIONS, UNDELIVERED].iter().any(|name| path.is_within(name)) {
            return Err(StoreError::Reserved(kpki.path_of(path.as_str())));
        }
        all.extend(facts(kpki, path)?.map(|facts| Removal::of(RootId::State, path, &facts)));
    }
    Ok(all)
}

fn facts(kpki: &Dir, path: &RelPath) -> Result<Option<crate::files::Facts>, FileError> {
    let Some(parent) = path.parent() else { return Ok(None) };
    let mut dir: Option<Dir> = None;
    for name in parent.components() {
        match dir.as_ref().unwrap_or(kpki).child(name)? {
            Some(child) => dir = Some(child),
            None => return Ok(None),
        }
    }
    dir.as_ref().unwrap_or(kpki).regular_file(path.file_name())
}
