//! A tree where there is none: made beside its place, put there by one rename.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, Kind, Look, Op, RelPath};

use super::clear;
use super::created_dirs::{CreatedDirs, or_here};
use super::error::StoreError;
use super::generation::{self, FIRST, RECORD};
use super::journal::{self, JOURNAL};
use super::kept::GENERATIONS;
use super::lock::{KPKI, KPKI_MODE};
use super::stage::{self, Job, Unsynced};
use super::step::{Step, Watch};
use super::tree::Tree;
use super::{Commit, RootId};

/// Where the tree goes.
pub(super) struct Site {
    parent: PathBuf,
    name: OsString,
    /// An empty directory that is there already; its mode and owner are kept.
    existing: Option<Facts>,
}

pub(super) enum Created {
    /// The name of the generation that was made, if one was.
    Done { generation: Option<String> },
    /// The empty directory cannot be replaced after all; nothing was changed.
    NotByRename,
}

/// Whether the tree can be created by one rename; `None`: it has to be merged.
pub(super) fn site(commit: &Commit<'_>) -> Result<Option<Site>, StoreError> {
    let main = or_here(&commit.roots.main);
    if commit.uses_kubelet() {
        return Ok(None);
    }
    let dir = match Dir::open_root(main) {
        Ok(dir) => dir,
        Err(error) if error.kind == Kind::Missing => {
            if rustix::fs::lstat(main).is_ok() {
                return Err(FileError::new(Op::Open, main, Kind::SymlinkInTheWay).into());
            }
            let (Some(parent), Some(name)) = (main.parent(), main.file_name()) else { return Err(error.into()) };
            let (parent, name) = (or_here(parent).to_path_buf(), name.to_os_string());
            return Ok(Some(Site { parent, name, existing: None }));
        }
        Err(error) => return Err(error.into()),
    };
    if !dir.list()?.is_empty() {
        return Ok(None);
    }
    // The name to replace is that of the directory itself, not of a symlink to it.
    let Ok(real) = std::fs::canonicalize(main) else { return Ok(None) };
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else { return Ok(None) };
    if !replaceable(&dir, &Dir::open_root(parent)?)? {
        return Ok(None);
    }
    Ok(Some(Site { parent: parent.to_path_buf(), name: name.to_os_string(), existing: Some(dir.own_facts()?) }))
}

/// Whether nobody would miss this very directory if another empty one took its place.
fn replaceable(dir: &Dir, parent: &Dir) -> Result<bool, FileError> {
    let (here, above) = (dir.own_facts()?, parent.own_facts()?);
    let mounted = here.mount_point || (here.device, here.mount) != (above.device, above.mount);
    // A shell that stands in it (`cd out && kpki init .`) would be left in a directory that no longer has a name.
    let standing = Dir::open_root(".".as_ref())
        .and_then(|cwd| cwd.own_facts())
        .is_ok_and(|cwd| (cwd.inode, cwd.device) == (here.inode, here.device));
    let us = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let owner_kept = us.0 == 0 || us == (here.uid, here.gid);
    // Access control lists and security labels do not come along.
    let mut names = [0u8; 256];
    let labelled = !matches!(rustix::fs::flistxattr(dir, &mut names[..]), Ok(0) | Err(Errno::NOTSUP));
    Ok(!mounted && !standing && owner_kept && !labelled && !here.immutable && parent.check_writable().is_ok())
}

pub(super) fn create(commit: &Commit<'_>, site: &Site, watch: &dyn Watch) -> Result<Created, StoreError> {
    let mut created_dirs = CreatedDirs::default();
    let result = created_dirs
        .make(&site.parent, 0o755)
        .map_err(StoreError::from)
        .and_then(|parent| beside(commit, site, &parent, watch));
    if !matches!(result, Ok(Created::Done { .. }) | Err(StoreError::Unsynced(_)))
        && !result.as_ref().is_err_and(StoreError::is_crash)
    {
        created_dirs.undo();
    }
    result
}

fn beside(commit: &Commit<'_>, site: &Site, parent: &Dir, watch: &dyn Watch) -> Result<Created, StoreError> {
    clear::stale_siblings(parent, &site.name)?;
    let (staging, name) = staging(parent, site)?;
    let result = fill(commit, site, staging, watch).and_then(|(staging, generation)| {
        match parent.rename(&name, parent, &site.name) {
            Ok(()) => {}
            Err(error) => match error.kind {
                Kind::Io(Errno::BUSY) => return Ok(Created::NotByRename),
                Kind::Exists | Kind::Io(Errno::NOTEMPTY | Errno::NOTDIR) => {
                    return Err(StoreError::MadeMeanwhile(parent.path_of(&site.name)));
                }
                _ => return Err(error.into()),
            },
        }
        drop(staging);
        parent.sync().map_err(StoreError::Unsynced)?;
        Ok(Created::Done { generation })
    });
    match &result {
        Ok(Created::Done { .. }) | Err(StoreError::Unsynced(_)) => {}
        Err(error) if error.is_crash() => {}
        // The first error is the one to tell; what is left is removed by the next run.
        _ => drop(parent.remove_tree(&name)),
    }
    result
}

/// Makes a directory nobody else can enter and locks it, so that another run can tell it from what a dead one left.
fn staging(parent: &Dir, site: &Site) -> Result<(Dir, OsString), StoreError> {
    let mut n = 0;
    loop {
        let name = clear::sibling(&site.name, n);
        match parent.make(&name, 0o700) {
            Ok(dir) => match claim(parent, &dir, &name) {
                Ok(true) => return Ok((dir, name)),
                // Whoever took it for a dead run's removes it.
                Ok(false) => {}
                Err(error) => {
                    let _ = parent.remove_dir(&name);
                    return Err(error.into());
                }
            },
            Err(error) if error.kind == Kind::Exists => {}
            Err(error) if error.kind == Kind::Missing && n < 10 => {}
            Err(error) => return Err(error.into()),
        }
        n = n
            .checked_add(1)
            .filter(|n| *n < 1000)
            .ok_or_else(|| FileError::new(Op::MakeDir, &parent.path_of(clear::sibling(&site.name, 0)), Kind::Exists))?;
    }
}

/// Locks the new directory. `false`: between making and locking, another run has taken it for a dead one's.
fn claim(parent: &Dir, dir: &Dir, name: &OsStr) -> Result<bool, FileError> {
    // Any other error is fine: on a file system without locks nobody can take it for a dead one's either.
    if rustix::fs::flock(dir, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(false);
    }
    let named = parent.child(name)?.map(|named| named.own_facts()).transpose()?;
    Ok(named.map(|named| named.inode) == Some(dir.own_facts()?.inode))
}

/// Writes everything into the staging directory, synced. With the name of the generation, if there is something to note.
fn fill(
    commit: &Commit<'_>,
    site: &Site,
    staging: Dir,
    watch: &dyn Watch,
) -> Result<(Arc<Dir>, Option<String>), StoreError> {
    let created: Vec<_> = commit
        .changes
        .iter()
        .filter(|change| change.root != RootId::State)
        .map(|change| (change.root, change.path.clone()))
        .collect();
    let generation = (commit.note.is_some() && !created.is_empty()).then(|| commit.generation.to_owned());
    let record = generation::record(FIRST, commit.note.as_deref(), &created, &[]);
    let lines = journal::text(&commit.journal);
    let mut own = Vec::new();
    if let Some(name) = &generation {
        own.push((RelPath::parse(format!("{GENERATIONS}/{name}/{RECORD}"))?, record.as_slice()));
    }
    if !lines.is_empty() {
        own.push((RelPath::parse(JOURNAL)?, lines.as_bytes()));
    }
    let state = !own.is_empty() || commit.changes.iter().any(|change| change.root == RootId::State);
    let mut state = match state {
        true => Some(Tree::new(staging.make(KPKI, KPKI_MODE)?, KPKI_MODE)),
        false => None,
    };
    let mut main = Tree::new(staging, commit.dir_mode);
    let changes = commit.changes.iter().map(|change| (change.root, &change.path, change.mode & 0o777, &**change.bytes));
    let own = own.iter().map(|(path, bytes)| (RootId::State, path, 0o600, *bytes));
    let mut jobs = Vec::with_capacity(commit.changes.len());
    for (root, path, mode, bytes) in changes.chain(own) {
        let tree = match (&mut state, root) {
            (Some(state), RootId::State) => state,
            _ => &mut main,
        };
        jobs.push(Job {
            dir: tree.make(path.parent().as_ref())?,
            name: path.file_name().to_owned(),
            look: Look { mode, owner: None },
            bytes,
        });
    }
    let mut unsynced = stage::write(&jobs)?;
    let root = Arc::clone(main.root());
    if let Some(existing) = &site.existing {
        let made = root.own_facts()?;
        if (made.uid, made.gid) != (existing.uid, existing.gid) {
            root.set_owner(existing.uid, existing.gid)?;
        }
    }
    // Only now may others look: everything in it is complete.
    root.set_mode(site.existing.as_ref().map_or(commit.dir_mode, |existing| existing.mode))?;
    main.make(None)?;
    unsynced.extend(state.iter().chain([&main]).flat_map(Tree::changed).map(Unsynced::Dir));
    stage::sync(&unsynced)?;
    watch.reached(Step::Staged)?;
    watch.reached(Step::Checked)?;
    Ok((root, generation))
}
