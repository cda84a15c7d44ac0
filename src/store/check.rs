//! Checks every destination and refuses what is impossible, without writing anything.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::files::{Dir, Facts, FileError, Kind, Op, RelPath};

use super::commit::Destination;
use super::created_dirs::{open_existing, refuse_link};
use super::error::StoreError;
use super::journal::{self, JOURNAL};
use super::kept::GENERATIONS;
use super::open_dirs::{OpenDirs, Reached};
use super::outer::UNDELIVERED;
use super::roots::{KPKI, RootId, Roots, or_here};
use super::trust;

/// Names in `.kpki` that are the store's own.
const OWN: [&str; 6] = ["lock", "commit", "staging", GENERATIONS, UNDELIVERED, JOURNAL];
/// Those of them in which files are kept.
const KEEPING: [&str; 2] = [GENERATIONS, UNDELIVERED];

/// Refuses what the paths alone show to be impossible. `forgets`: kept files may be replaced.
pub(super) fn paths(roots: &Roots, destinations: &[Destination<'_>], forgets: bool) -> Result<(), StoreError> {
    let conflict = |root, path| Err(StoreError::Conflict(roots.path_of(root, path)));
    let mut all: HashSet<(RootId, &str)> = HashSet::new();
    for (root, path, _) in destinations {
        let reserved = match root {
            RootId::Main => path.is_within(KPKI),
            RootId::State if forgets && KEEPING.iter().any(|name| path.is_within(name)) => {
                path.components().count() < 3
            }
            RootId::State => OWN.iter().any(|name| path.is_within(name)),
            RootId::Kubelet | RootId::Certificates => false,
        };
        if reserved {
            return Err(StoreError::Reserved(roots.path_of(*root, path)));
        }
        if root.is_outside() && roots.outside(*root).is_none() {
            return Err(StoreError::NoRoot(*root));
        }
        if !all.insert((*root, path.as_str())) {
            return conflict(*root, path);
        }
    }
    for (root, path, _) in destinations {
        let mut above = path.parent();
        while let Some(dir) = above {
            if all.contains(&(*root, dir.as_str())) {
                return conflict(*root, &dir);
            }
            above = dir.parent();
        }
    }
    Ok(())
}

/// Checks destinations one by one.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Directories that were checked.
    checked: HashSet<PathBuf>,
    existing: Vec<PathBuf>,
}

impl Survey {
    /// The facts of the file at a destination; `None`: there is none.
    pub fn look(
        &mut self,
        dirs: &mut OpenDirs,
        (_, path, replace): Destination<'_>,
    ) -> Result<Option<Facts>, StoreError> {
        let Reached { dir, whole } = dirs.reach(path.parent().as_ref())?;
        if self.checked.insert(dir.path().to_path_buf()) {
            dir.check_writable()?;
            if !dirs.takes_renames(&dir.own_facts()?) {
                return Err(StoreError::OtherFileSystem(dir.path().to_path_buf()));
            }
        }
        let found = if whole { dir.regular_file(path.file_name())? } else { None };
        if found.is_some() && !replace {
            self.existing.push(dir.path_of(path.file_name()));
        }
        Ok(found)
    }

    /// All files that may not be replaced, in one error.
    pub fn finish(self) -> Result<(), StoreError> {
        if self.existing.is_empty() { Ok(()) } else { Err(StoreError::Exist(self.existing)) }
    }
}

/// Refuses, before anything is made, what publishing would refuse: files that exist and may not be replaced, symlinks and
/// directories in the way, directories and file systems that cannot be written to. Free space is not checked. Each
/// destination is a root, a path and whether an existing file may be replaced.
pub fn check_writable(roots: &Roots, destinations: &[(RootId, RelPath, bool)]) -> Result<(), StoreError> {
    let all: Vec<Destination<'_>> = destinations.iter().map(|(root, path, replace)| (*root, path, *replace)).collect();
    paths(roots, &all, false)?;
    if let Some(main) = existing(&roots.main)? {
        // The lock and everything that is prepared go there.
        let kpki = trust::own(&main)?;
        kpki.as_ref().unwrap_or(&main).check_writable()?;
        kpki.as_ref().map(journal::size).transpose()?;
    }
    let mut survey = Survey::default();
    let mut opened: HashMap<RootId, Option<OpenDirs>> = HashMap::new();
    for destination in all {
        let root = destination.0;
        let dirs = match opened.entry(root) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(open(roots, root)?),
        };
        if let Some(dirs) = dirs {
            survey.look(dirs, destination)?;
        }
    }
    survey.finish()
}

/// The same for a plan that another run carries out, maybe elsewhere: that this process may write there is not asked.
pub fn check_in_the_way(roots: &Roots, destinations: &[(RootId, RelPath, bool)]) -> Result<(), StoreError> {
    match check_writable(roots, destinations) {
        Err(StoreError::File(FileError { kind: Kind::PermissionDenied | Kind::ReadOnlyFilesystem, .. })) => Ok(()),
        checked => checked,
    }
}

/// A root that exists; `None`: there is none, so nothing is in the way.
fn open(roots: &Roots, root: RootId) -> Result<Option<OpenDirs>, StoreError> {
    let dir = match root {
        RootId::Main => existing(&roots.main)?,
        RootId::Kubelet | RootId::Certificates => {
            let path = roots.outside(root).ok_or(StoreError::NoRoot(root))?;
            if root == RootId::Certificates {
                refuse_link(path)?;
            }
            existing(path)?
        }
        RootId::State => trust::open(roots)?,
    };
    let Some(dir) = dir else { return Ok(None) };
    let home = dir.own_facts()?;
    Ok(Some(OpenDirs::new(dir, 0).prepared_in(home)))
}

/// Opens a root. Where there is none, the nearest directory above must be writable.
fn existing(path: &Path) -> Result<Option<Dir>, FileError> {
    let found = open_existing(path)?;
    if found.is_none() {
        let above = or_here(path).parent().ok_or_else(|| FileError::new(Op::Open, path, Kind::Missing))?;
        existing(above)?.map_or(Ok(()), |dir| dir.check_writable())?;
    }
    Ok(found)
}
