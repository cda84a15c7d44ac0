//! A new tree: made beside its place, put there by one rename.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, Kind, Op, Permissions, RelPath};

use super::clear;
use super::commit::{Commit, Receipt};
use super::created_dirs::{CreatedDirs, open_existing};
use super::error::StoreError;
use super::generation::{self, FIRST, RECORD};
use super::journal::{Growth, JOURNAL};
use super::kept::GENERATIONS;
use super::open_dirs::OpenDirs;
use super::roots::{KPKI, KPKI_MODE, RootId, or_here};
use super::stage::{self, NewFile, Unsynced};
use super::step::{Step, Watch};

/// Where the tree goes.
pub(super) struct Place {
    parent: PathBuf,
    name: OsString,
    /// An empty directory that exists already; its mode and owner are kept.
    existing: Option<Facts>,
}

impl Place {
    /// Lets others look at what is complete: with this mode, or with mode and owner of the directory it takes the place of.
    pub(super) fn open(&self, made: &Dir, mode: u32) -> Result<(), StoreError> {
        let Some(existing) = &self.existing else { return Ok(made.set_mode(mode)?) };
        let facts = made.own_facts()?;
        if (facts.uid, facts.gid) != (existing.uid, existing.gid) {
            made.set_owner(existing.uid, existing.gid)?;
        }
        Ok(made.set_mode(existing.mode)?)
    }
}

/// Where a rename can put the tree; `None`: it has to be merged.
pub(super) fn place(commit: &Commit<'_>) -> Result<Option<Place>, StoreError> {
    if RootId::OUTSIDE.into_iter().any(|root| commit.uses(root)) || !commit.outer.is_empty() {
        return Ok(None);
    }
    place_of(or_here(&commit.roots.main))
}

/// The same for a directory.
pub(super) fn place_of(main: &Path) -> Result<Option<Place>, StoreError> {
    let Some(dir) = open_existing(main)? else {
        let missing = || FileError::new(Op::Open, main, Kind::Missing);
        let parent = main.parent().ok_or_else(missing)?;
        let name = main.file_name().ok_or_else(missing)?;
        return Ok(Some(Place { parent: or_here(parent).to_owned(), name: name.to_owned(), existing: None }));
    };
    if !dir.list()?.is_empty() {
        return Ok(None);
    }
    // The name to replace is that of the directory itself, not of a symlink to it.
    let Ok(real) = std::fs::canonicalize(main) else { return Ok(None) };
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else { return Ok(None) };
    if !is_replaceable(&dir, &Dir::open_root(parent)?)? {
        return Ok(None);
    }
    Ok(Some(Place { parent: parent.to_owned(), name: name.to_owned(), existing: Some(dir.own_facts()?) }))
}

/// Whether another empty directory can take the place of this one unnoticed.
fn is_replaceable(dir: &Dir, parent: &Dir) -> Result<bool, FileError> {
    let (here, above) = (dir.own_facts()?, parent.own_facts()?);
    let mounted = here.mount_point || (here.device, here.mount) != (above.device, above.mount);
    // A shell in it (`cd out && kpki init .`) would be left in a directory that no longer has a name.
    let in_use = Dir::open_root(".".as_ref())
        .and_then(|cwd| cwd.own_facts())
        .is_ok_and(|cwd| (cwd.inode, cwd.device) == (here.inode, here.device));
    let us = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let owner_kept = us.0 == 0 || us == (here.uid, here.gid);
    // A new directory has no access control lists and security labels.
    let mut names = [0u8; 256];
    let labelled = !matches!(rustix::fs::flistxattr(dir, &mut names[..]), Ok(0) | Err(Errno::NOTSUP));
    Ok(!mounted && !in_use && owner_kept && !labelled && !here.immutable && parent.check_writable().is_ok())
}

/// `None`: the empty directory cannot be replaced after all; nothing was changed.
pub(super) fn create(commit: &Commit<'_>, place: &Place, watch: Watch<'_>) -> Result<Option<Receipt>, StoreError> {
    let made = publish(place, |staging| fill(commit, place, staging, watch))?;
    Ok(made.map(|generation| Receipt { kept: None, generation }))
}

/// Fills a directory beside the place, and puts it there. `None`: as for [`create`].
pub(super) fn publish<T>(
    place: &Place,
    fill: impl FnOnce(&Arc<Dir>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut created_dirs = CreatedDirs::default();
    let parent = created_dirs.make(&place.parent, 0o755);
    let result = parent.map_err(StoreError::from).and_then(|parent| beside(place, &parent, fill));
    if !is_left(&result) {
        created_dirs.undo();
    }
    result
}

/// Whether what the run has made stays on disk.
fn is_left<T>(result: &Result<Option<T>, StoreError>) -> bool {
    result.as_ref().map_or_else(StoreError::keeps_changes, Option::is_some)
}

fn beside<T>(
    place: &Place,
    parent: &Dir,
    fill: impl FnOnce(&Arc<Dir>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    clear::stale_siblings(parent, &place.name)?;
    let (staging, name) = staging(parent, place)?;
    // Locked until this run is done with the name, so that no other takes it or removes it meanwhile.
    let staging = Arc::new(staging);
    let result = fill(&staging).and_then(|made| {
        if let Err(error) = parent.rename(&name, parent, &place.name) {
            return match error.kind {
                Kind::Io(Errno::BUSY) => Ok(None),
                Kind::Exists | Kind::Io(Errno::NOTEMPTY | Errno::NOTDIR) => {
                    Err(StoreError::MadeMeanwhile(parent.path_of(&place.name)))
                }
                _ => Err(error.into()),
            };
        }
        parent.sync().map_err(StoreError::Unsynced)?;
        Ok(Some(made))
    });
    if !is_left(&result) {
        // The first error is the one to report; what cannot be removed, the next run removes.
        let _ = parent.remove_tree(&name);
    }
    result
}

/// Makes a private directory and locks it, so that another run does not take it for that of a dead run.
fn staging(parent: &Dir, place: &Place) -> Result<(Dir, OsString), StoreError> {
    // Another run may remove the parent in between, too.
    const TRIES: u32 = 1000;
    const MISSING: u32 = 10;
    for n in 0..TRIES {
        let name = clear::sibling(&place.name, n);
        match parent.make(&name, 0o700) {
            Ok(dir) => match claim(parent, &dir, &name) {
                Ok(true) => return Ok((dir, name)),
                // The run that took it for a dead one's removes it.
                Ok(false) => {}
                Err(error) => {
                    let _ = parent.remove_dir(&name);
                    return Err(error.into());
                }
            },
            Err(error) if error.kind == Kind::Exists || (error.kind == Kind::Missing && n < MISSING) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(FileError::new(Op::MakeDir, &parent.path_of(clear::sibling(&place.name, 0)), Kind::Exists).into())
}

/// Locks the new directory. `false`: between making and locking, another run has taken it for a dead one's.
fn claim(parent: &Dir, dir: &Dir, name: &OsStr) -> Result<bool, FileError> {
    // Any other error is fine: on a file system without locks no run can take it for that of a dead run either.
    if rustix::fs::flock(dir, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(false);
    }
    clear::is_named(parent, name, dir)
}

/// Writes everything into the staging directory, synced. The name of the generation, if there is a note.
fn fill(
    commit: &Commit<'_>,
    place: &Place,
    staging: &Arc<Dir>,
    watch: Watch<'_>,
) -> Result<Option<String>, StoreError> {
    let created = commit.changes.iter().filter(|change| change.root != RootId::State);
    let created: Vec<_> = created.map(|change| (change.root, change.path.clone())).collect();
    let generation = (commit.note.is_some() && !created.is_empty()).then(|| commit.generation.to_owned());
    let Growth { text: lines, end, .. } = Growth::new(&commit.journal);
    let record = generation::record((FIRST, end), commit.note.as_deref(), &created, &[])?;
    let mut own = Vec::new();
    if let Some(name) = &generation {
        own.push((RelPath::parse(format!("{GENERATIONS}/{name}/{RECORD}"))?, record.as_slice()));
    }
    if !lines.is_empty() {
        own.push((RelPath::parse(JOURNAL)?, lines.as_bytes()));
    }
    let changes = commit.changes.iter().map(|change| (change.root, &change.path, change.mode & 0o777, &**change.bytes));
    let own = own.iter().map(|(path, bytes)| (RootId::State, path, 0o600, *bytes));
    let mut main = OpenDirs::new(Arc::clone(staging), commit.dir_mode);
    let mut state = None;
    let mut files = Vec::with_capacity(commit.changes.len());
    for (root, path, mode, bytes) in changes.chain(own) {
        let dirs = match (root, &mut state) {
            (RootId::State, Some(state)) => state,
            (RootId::State, none) => none.insert(OpenDirs::new(main.root().make(KPKI, KPKI_MODE)?, KPKI_MODE)),
            _ => &mut main,
        };
        let dir = dirs.make(path.parent().as_ref())?;
        let permissions = Permissions { mode, owner: None };
        files.push(NewFile { dir, name: path.file_name().to_owned(), permissions, bytes });
    }
    let mut unsynced = stage::write(&files)?;
    let root = staging;
    place.open(root, commit.dir_mode)?;
    main.make(None)?;
    unsynced.extend(state.iter().chain([&main]).flat_map(OpenDirs::changed).map(Unsynced::Dir));
    stage::sync(&unsynced)?;
    watch(Step::Staged)?;
    watch(Step::Checked)?;
    Ok(generation)
}
