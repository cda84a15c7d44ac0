//! Looks at every destination and refuses what cannot be, without writing anything.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::files::{Dir, Facts, FileError, Kind, Op, RelPath, What};

use super::created_dirs::or_here;
use super::error::StoreError;
use super::journal::{self, JOURNAL};
use super::lock::KPKI;
use super::tree::Tree;
use super::{RootId, Roots, trust};

/// A destination, and whether an existing file may be replaced (or removed) there.
pub(super) type Wanted<'a> = (RootId, &'a RelPath, bool);

/// Names in `.kpki` that are the store's own.
const OWN: [&str; 5] = ["lock", "commit", "staging", "generations", JOURNAL];

/// Refuses what the paths alone show to be impossible.
pub(super) fn paths(roots: &Roots, wanted: &[Wanted<'_>]) -> Result<(), StoreError> {
    let conflict = |root, path| Err(StoreError::Conflict(roots.path_of(root, path)));
    let mut all: HashSet<(RootId, &str)> = HashSet::new();
    for (root, path, _) in wanted {
        let reserved = match root {
            RootId::Main => path.is_within(KPKI),
            RootId::State => OWN.iter().any(|name| path.is_within(name)),
            RootId::Kubelet => false,
        };
        if reserved {
            return Err(StoreError::Reserved(roots.path_of(*root, path)));
        }
        if *root == RootId::Kubelet && roots.kubelet.is_none() {
            return Err(StoreError::NoKubeletRoot);
        }
        if !all.insert((*root, path.as_str())) {
            return conflict(*root, path);
        }
    }
    for (root, path, _) in wanted {
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

/// Looks at destinations in one tree; remembers which directories were looked at.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Directories that were looked at.
    seen: HashSet<std::path::PathBuf>,
    existing: Vec<std::path::PathBuf>,
}

impl Survey {
    /// The facts of the file at a destination, `None`: there is none. `home`: where new files are prepared.
    pub fn look(
        &mut self,
        tree: &mut Tree,
        home: &Facts,
        (_, path, replace): Wanted<'_>,
    ) -> Result<Option<Facts>, StoreError> {
        let reached = tree.look(path.parent().as_ref())?;
        let dir = &reached.dir;
        if self.seen.insert(dir.path().to_path_buf()) {
            dir.check_writable()?;
            let here = dir.own_facts()?;
            if (here.device, here.mount) != (home.device, home.mount) {
                return Err(StoreError::OtherFileSystem(dir.path().to_path_buf()));
            }
        }
        if !reached.whole {
            return Ok(None);
        }
        let found = file(dir, path.file_name())?;
        if found.is_some() && !replace {
            self.existing.push(dir.path_of(path.file_name()));
        }
        Ok(found)
    }

    /// All files that stand in the way, told at once.
    pub fn finish(self) -> Result<(), StoreError> {
        if self.existing.is_empty() { Ok(()) } else { Err(StoreError::Exist(self.existing)) }
    }
}

/// The facts of a file that might be replaced; anything but a file is in the way.
fn file(dir: &Dir, name: &str) -> Result<Option<Facts>, FileError> {
    let Some(facts) = dir.facts(name)? else { return Ok(None) };
    let refused = |kind| Err(FileError::new(Op::Write, &dir.path_of(name), kind));
    match facts.what {
        What::File if facts.immutable => refused(Kind::Immutable),
        What::File => Ok(Some(facts)),
        What::Symlink => refused(Kind::SymlinkInTheWay),
        what => refused(Kind::NotAFile(what)),
    }
}

/// Refuses, before anything is made, what publishing would refuse: files that exist and may not be replaced, symlinks and
/// directories in the way, directories and file systems that cannot be written to. Free space is not looked at.
pub fn check_writable(roots: &Roots, wanted: &[(RootId, RelPath, bool)]) -> Result<(), StoreError> {
    let wanted: Vec<Wanted<'_>> = wanted.iter().map(|(root, path, replace)| (*root, path, *replace)).collect();
    paths(roots, &wanted)?;
    let mut survey = Survey::default();
    let mut trees: HashMap<RootId, Option<(Tree, Facts)>> = HashMap::new();
    let main = existing(&roots.main)?;
    if let Some(main) = &main {
        // The lock and everything that is prepared go there.
        let kpki = trust::own(main)?;
        kpki.as_ref().unwrap_or(main).check_writable()?;
        kpki.as_ref().map(journal::length).transpose()?;
    }
    for want in wanted {
        let tree = match trees.entry(want.0) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(open(roots, want.0)?),
        };
        if let Some((tree, home)) = tree {
            survey.look(tree, home, want)?;
        }
    }
    survey.finish()
}

/// A root that exists; `None`: nothing is there yet, so nothing is in the way.
fn open(roots: &Roots, root: RootId) -> Result<Option<(Tree, Facts)>, StoreError> {
    let dir = match root {
        RootId::Main => existing(&roots.main)?,
        RootId::Kubelet => match &roots.kubelet {
            Some(path) => existing(path)?,
            None => return Err(StoreError::NoKubeletRoot),
        },
        RootId::State => match existing(&roots.main)? {
            Some(main) => trust::own(&main)?,
            None => None,
        },
    };
    dir.map(|dir| Ok((dir.own_facts()?, dir)))
        .transpose()
        .map(|found| found.map(|(home, dir)| (Tree::new(dir, 0), home)))
}

/// Opens a root. Where there is none, the nearest directory above has to be one it can be made in.
fn existing(path: &Path) -> Result<Option<Dir>, FileError> {
    match Dir::open_root(or_here(path)) {
        Ok(dir) => return Ok(Some(dir)),
        Err(error) if error.kind == Kind::Missing => {}
        Err(error) => return Err(error),
    }
    let mut here = or_here(path);
    loop {
        if rustix::fs::lstat(here).is_ok() {
            // It is there and could not be opened: a symlink to nothing.
            return Err(FileError::new(Op::Open, here, Kind::SymlinkInTheWay));
        }
        here = or_here(here.parent().ok_or_else(|| FileError::new(Op::Open, path, Kind::Missing))?);
        match Dir::open_root(here) {
            Ok(dir) => return dir.check_writable().map(|()| None),
            Err(error) if error.kind == Kind::Missing => {}
            Err(error) => return Err(error),
        }
    }
}
