//! Files into a tree that exists: prepared beside it, decided by the commit mark, put in place one by one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Dir, Facts, Permissions, RelPath};

use super::beside::Beside;
use super::check::Survey;
use super::clear::{self, STAGING};
use super::commit::{Commit, FileChange, Locking, Receipt};
use super::created_dirs::{CreatedDirs, refuse_link};
use super::error::StoreError;
use super::generation::{self, MANIFEST, RECORD};
use super::journal::{Growth, LINES};
use super::kept::{self, GENERATIONS, KEPT};
use super::lock::TreeLock;
use super::mark::{self, CommitMark, MARK, OuterPlacement, OutsideStaging, Placement, Removal};
use super::open_dirs::{OpenDirs, OpenRoots};
use super::outer::{self, absolute};
use super::roots::{KPKI_MODE, RootId};
use super::stage::{self, NewFile, Unsynced};
use super::step::{Step, Watch};
use super::{erase, forward, json, recover};

pub(super) fn merge(commit: &Commit<'_>, watch: Watch<'_>) -> Result<Receipt, StoreError> {
    let mut created_dirs = CreatedDirs::default();
    let result = locked(commit, &mut created_dirs, watch);
    if result.as_ref().is_err_and(|error| !error.keeps_changes()) {
        created_dirs.undo();
    }
    result
}

fn locked(commit: &Commit<'_>, created_dirs: &mut CreatedDirs, watch: Watch<'_>) -> Result<Receipt, StoreError> {
    let taken;
    let lock = match commit.locking {
        Locking::Held(lock) => lock,
        Locking::Wait(wait) => {
            created_dirs.make(&commit.roots.main, commit.dir_mode)?;
            taken = TreeLock::take(&commit.roots.main, wait)?;
            &taken
        }
    };
    let result = recovered(commit, lock, created_dirs, watch);
    // A directory that is no tree is left without `.kpki`, whatever was written to it.
    let records = |receipt: &Receipt| receipt.generation.is_some() || commit.has_state();
    if result.as_ref().map_or_else(StoreError::keeps_changes, records) {
        lock.used.set(true);
    }
    result
}

fn recovered(
    commit: &Commit<'_>,
    lock: &TreeLock,
    created_dirs: &mut CreatedDirs,
    watch: Watch<'_>,
) -> Result<Receipt, StoreError> {
    recover::under(lock, commit.roots)?;
    watch(Step::Locked)?;
    let mut merge = Merge::open(commit, lock, created_dirs)?;
    let mark = match merge.decide(commit, lock, watch) {
        Ok(mark) => mark,
        Err(error) => {
            if !error.is_crash() {
                merge.undo(lock);
            }
            return Err(error);
        }
    };
    let besides = std::mem::take(&mut merge.besides);
    forward::finish(lock, &mark, &mut merge.dirs, besides, watch)?;
    let kept = (!merge.kept.is_empty()).then(|| lock.kpki.path_of(GENERATIONS).join(&mark.generation));
    Ok(Receipt { kept, generation: merge.has_generation.then_some(mark.generation) })
}

/// A merge before its commit mark.
struct Merge {
    dirs: OpenRoots,
    /// What is at each destination: of the changes, then of the removals.
    found: Vec<Option<Facts>>,
    /// The roots outside the main directory that are used.
    outside: BTreeMap<RootId, OutsideStaging>,
    /// Files to be replaced or removed.
    kept: Vec<(RootId, RelPath)>,
    /// Files that do not exist yet.
    created: Vec<(RootId, RelPath)>,
    /// There is a file to keep, or a note.
    has_generation: bool,
    outer: Vec<OuterPlacement>,
    /// Those files beside their places.
    besides: Vec<Beside>,
}

impl Merge {
    /// Checks every destination; makes nothing but the directories outside, where they are missing.
    fn open(commit: &Commit<'_>, lock: &TreeLock, created_dirs: &mut CreatedDirs) -> Result<Self, StoreError> {
        let (mut outside, mut opened) = (BTreeMap::new(), Vec::new());
        for root in RootId::OUTSIDE.into_iter().filter(|root| commit.uses(*root)) {
            let Some(path) = commit.roots.outside(root) else { continue };
            if root == RootId::Certificates {
                refuse_link(path)?;
            }
            // It is made for new files, and not for removals, of which there are none in a new directory.
            let is_filled = commit.changes.iter().any(|change| change.root == root);
            if is_filled || rustix::fs::stat(path).is_ok() {
                opened.push((root, created_dirs.make(path, commit.dir_mode)?));
                let staging = clear::outside_staging(&absolute(lock.main.path())?);
                outside.insert(root, OutsideStaging { path: absolute(path)?, staging });
            }
        }
        let dirs = OpenRoots::open(lock, opened, commit.dir_mode)?;
        dirs.check_distinct()?;
        let (kept, created) = (Vec::new(), Vec::new());
        let outer = outer::placements(&commit.outer, &lock.kpki)?;
        let (found, besides) = (Vec::new(), Vec::new());
        let mut merge = Self { dirs, found, outside, kept, created, has_generation: false, outer, besides };
        merge.found = merge.survey(commit)?;
        for (number, ((root, path, _), found)) in commit.destinations().zip(&merge.found).enumerate() {
            match found {
                // kpki's own state is replaced all the time and not worth keeping.
                _ if root == RootId::State => {}
                Some(_) => merge.kept.push((root, path.clone())),
                None if number < commit.changes.len() => merge.created.push((root, path.clone())),
                None => {}
            }
        }
        if commit.forgets || is_record(commit, merge.kept.iter().chain(&merge.created)) {
            (merge.kept, merge.created) = (Vec::new(), Vec::new());
        }
        merge.has_generation = !merge.kept.is_empty() || (commit.note.is_some() && !merge.created.is_empty());
        Ok(merge)
    }

    fn survey(&mut self, commit: &Commit<'_>) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut survey = Survey::default();
        let mut found = Vec::with_capacity(commit.changes.len());
        for destination in commit.destinations() {
            found.push(match destination.0 {
                root if root.is_outside() && !self.outside.contains_key(&root) => None,
                root => survey.look(self.dirs.get(root)?, destination)?,
            });
        }
        survey.finish()?;
        Ok(found)
    }

    /// Everything up to the commit mark. With its rename the commit is decided, even if the sync of that fails.
    fn decide(&mut self, commit: &Commit<'_>, lock: &TreeLock, watch: Watch<'_>) -> Result<CommitMark, StoreError> {
        let staging = Arc::new(lock.kpki.make(STAGING, KPKI_MODE)?);
        let mark = self.stage(commit, lock, &staging)?;
        self.besides = outer::prepare(&commit.outer)?;
        watch(Step::Staged)?;
        self.check_again(commit)?;
        lock.check()?;
        watch(Step::Checked)?;
        staging.rename(MARK, &lock.kpki, MARK)?;
        Ok(mark)
    }

    /// Writes the new files, keeps the old ones, and writes the mark; all of it synced.
    fn stage(&mut self, commit: &Commit<'_>, lock: &TreeLock, staging: &Arc<Dir>) -> Result<CommitMark, StoreError> {
        let mut outside = BTreeMap::new();
        for (root, prepared) in &self.outside {
            let Some(dir) = self.dirs.outside(*root) else { continue };
            outside.insert(*root, Arc::new(dir.make(&prepared.staging, KPKI_MODE)?));
        }
        let us = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let mut jobs = Vec::with_capacity(commit.changes.len());
        let mut files = Vec::with_capacity(commit.changes.len());
        for (number, (change, found)) in commit.changes.iter().zip(&self.found).enumerate() {
            let dir = outside.get(&change.root).unwrap_or(staging);
            let (staged, permissions) = (number.to_string(), permissions(change, found.as_ref(), us));
            jobs.push(NewFile { dir: Arc::clone(dir), name: staged.clone(), permissions, bytes: &change.bytes });
            files.push(Placement { root: change.root, staged, path: change.path.clone(), replace: change.replace });
        }
        let removals = commit.destinations().zip(&self.found).skip(commit.changes.len());
        let growth = Growth::of(&lock.kpki, &commit.journal)?;
        let mark = CommitMark {
            version: mark::version(self.outside.get(&RootId::Certificates), &self.outer, &commit.pinned),
            generation: kept::free_name(&lock.kpki, commit.generation)?,
            dir_mode: commit.dir_mode,
            kubelet: self.outside.get(&RootId::Kubelet).cloned(),
            certificates: self.outside.get(&RootId::Certificates).cloned(),
            files,
            removals: removals
                .filter_map(|((root, path, _), found)| Some(Removal::of(root, path, found.as_ref()?)))
                .chain(erase::removals(&lock.kpki, &commit.erasures)?)
                .collect(),
            journal: growth.size,
            keep_generations: commit.keep_generations,
            pinned: commit.pinned.clone(),
            outer: self.outer.clone(),
        };
        let own = |dir: &Arc<Dir>, name: &str, bytes| NewFile {
            dir: Arc::clone(dir),
            name: name.to_owned(),
            permissions: Permissions { mode: 0o600, owner: None },
            bytes,
        };
        for (number, file) in commit.outer.iter().enumerate() {
            jobs.push(own(staging, &outer::staged(number), &file.bytes));
        }
        if mark.journal.is_some() {
            jobs.push(own(staging, LINES, growth.text.as_bytes()));
        }
        let mut dirs = vec![Arc::clone(staging), Arc::clone(&lock.kpki)];
        let record;
        if self.has_generation {
            let kept = self.keep(commit, staging)?;
            let sequence = generation::next_sequence(&lock.kpki)?;
            record = generation::record((sequence, growth.end), commit.note.as_deref(), &self.created, &self.kept)?;
            jobs.push(own(kept.root(), RECORD, &record));
            dirs.extend(kept.changed());
        }
        // Of what is in it, only paths outside can be other than UTF-8.
        let mut paths = self.outside.values().map(|root| &root.path).chain(self.outer.iter().map(|file| &file.path));
        let other = paths.find(|path| path.to_str().is_none()).map(PathBuf::as_path);
        let text = json::text(&mark, other.unwrap_or(Path::new(MARK)))?;
        jobs.push(own(staging, MARK, &text));
        if lock.made {
            dirs.push(Arc::clone(&lock.main));
        }
        dirs.extend(outside.into_values());
        dirs.extend(self.outside.keys().filter_map(|root| self.dirs.outside(*root).cloned()));
        let mut unsynced = stage::write(&jobs)?;
        unsynced.extend(dirs.into_iter().map(Unsynced::Dir));
        stage::sync(&unsynced)?;
        Ok(mark)
    }

    /// Keeps the files to be replaced or removed by a second name.
    fn keep(&mut self, commit: &Commit<'_>, staging: &Dir) -> Result<OpenDirs, StoreError> {
        let mut generation = OpenDirs::new(staging.make(KEPT, KPKI_MODE)?, KPKI_MODE);
        generation.make(None)?;
        for ((root, path, _), found) in commit.destinations().zip(&self.found) {
            if let (Some(facts), true) = (found, root != RootId::State) {
                let dir = self.dirs.get(root)?.reach(path.parent().as_ref())?.dir;
                kept::keep(&mut generation, &dir, root, path, facts)?;
            }
        }
        Ok(generation)
    }

    /// The last check before the mark: nothing has changed at any destination.
    fn check_again(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let now = self.survey(commit)?;
        for (((root, path, _), before), now) in commit.destinations().zip(&self.found).zip(&now) {
            let same = before.as_ref().zip(now.as_ref()).is_none_or(|(before, now)| before.same(now));
            if before.is_some() != now.is_some() || !same {
                return Err(StoreError::ChangedMeanwhile(commit.roots.path_of(root, path)));
            }
        }
        outer::check_again(&commit.outer, &self.besides)
    }

    /// What cannot be removed now, the next run removes; the error that led here is the one to report.
    fn undo(&self, lock: &TreeLock) {
        let _ = lock.kpki.remove_tree(STAGING);
        for (root, prepared) in &self.outside {
            let _ = self.dirs.outside(*root).map(|dir| dir.remove_tree(&prepared.staging));
        }
    }
}

/// Another profile is recorded, and nothing else: what was there of it follows from the profile before.
fn is_record<'f>(commit: &Commit<'_>, mut files: impl Iterator<Item = &'f (RootId, RelPath)>) -> bool {
    commit.has_state() && files.all(|(root, path)| *root == RootId::Main && path.as_str() == MANIFEST)
}

/// A replaced file keeps its mode and owner. But where only the owner is to read, the mode never gets wider than that, except
/// for a group that could read the file while others could not: that was set on purpose (etcd under a user of its own, say).
fn permissions(change: &FileChange, found: Option<&Facts>, us: (u32, u32)) -> Permissions {
    let wanted = change.mode & 0o777;
    let Some(found) = found else { return Permissions { mode: wanted, owner: None } };
    let private = wanted & 0o077 == 0;
    let mode = match (private, found.mode & 0o007) {
        (true, 0) => found.mode & (wanted | 0o040),
        (true, _) => found.mode & wanted,
        (false, _) => found.mode & 0o777,
    };
    let owner = (found.uid, found.gid);
    Permissions { mode, owner: (owner != us).then_some(owner) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_mode_and_no_key_gets_a_wider_one() {
        let dir = Dir::open_root(".".as_ref()).unwrap();
        for (wanted, found, mode) in [
            (0o644, None, 0o644),
            (0o4600, None, 0o600),
            (0o644, Some(0o600), 0o600),
            (0o644, Some(0o1640), 0o640),
            (0o600, Some(0o600), 0o600),
            (0o600, Some(0o400), 0o400),
            (0o600, Some(0o640), 0o640),
            (0o600, Some(0o660), 0o640),
            (0o600, Some(0o644), 0o600),
            (0o600, Some(0o604), 0o600),
            (0o400, Some(0o600), 0o400),
        ] {
            let facts = Facts { uid: 1, gid: 2, ..dir.own_facts().unwrap() };
            let found = found.map(|mode| Facts { mode, ..facts });
            let path = RelPath::parse("a").unwrap();
            let bytes = Vec::new().into();
            let change = FileChange { root: RootId::Main, path, mode: wanted, bytes, replace: true };
            for (us, owner) in [((1, 2), None), ((1, 3), Some((1, 2))), ((3, 2), Some((1, 2)))] {
                let expected = Permissions { mode, owner: owner.filter(|_| found.is_some()) };
                assert_eq!(permissions(&change, found.as_ref(), us), expected, "{wanted:o} {found:?}");
            }
        }
    }
}
