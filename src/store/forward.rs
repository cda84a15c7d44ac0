//! What follows the commit mark. An interrupted run may have done any of the steps before.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::files::{Dir, FileError, Kind, Op};

use super::beside::Beside;
use super::clear::STAGING;
use super::error::{StoreError, Undelivered};
use super::kept::{self, GENERATIONS, KEPT};
use super::lock::TreeLock;
use super::mark::{CommitMark, MARK, Placement, Removal};
use super::open_dirs::{OpenDirs, OpenRoots};
use super::outer;
use super::roots::{KPKI_MODE, RootId};
use super::stage::{self, Unsynced};
use super::step::{Step, Watch};
use super::{generation, journal};

/// Puts every file in place, removes those to be removed, writes the journal, and removes the mark. `besides`: the files
/// outside the tree as this run has prepared them. Every error is [`StoreError::Unfinished`], or
/// [`StoreError::Undelivered`] when all the rest is done.
pub(super) fn finish(
    lock: &TreeLock,
    mark: &CommitMark,
    dirs: &mut OpenRoots,
    besides: Vec<Beside>,
    watch: Watch<'_>,
) -> Result<(), StoreError> {
    let mut placed = false;
    let undelivered = steps(lock, mark, dirs, besides, watch, &mut placed).map_err(|error| match error.is_crash() {
        true => error,
        false => StoreError::Unfinished { why: Box::new(error), placed },
    })?;
    let count = undelivered.len();
    match undelivered.into_iter().next() {
        Some(first) => Err(StoreError::Undelivered(first, count.saturating_sub(1))),
        None => Ok(()),
    }
}

fn steps(
    lock: &TreeLock,
    mark: &CommitMark,
    dirs: &mut OpenRoots,
    besides: Vec<Beside>,
    watch: Watch<'_>,
    placed: &mut bool,
) -> Result<Vec<Undelivered>, StoreError> {
    // Before anything is visible, the mark has to survive a power failure.
    lock.kpki.sync()?;
    watch(Step::Marked)?;
    let mut outside = BTreeMap::new();
    for (root, prepared) in mark.outside() {
        let staging = dirs.outside(root).map(|dir| dir.child(&prepared.staging)).transpose()?;
        outside.extend(staging.flatten().map(|staging| (root, staging)));
    }
    let work = Work { kpki: &lock.kpki, mark, staging: lock.kpki.child(STAGING)?, outside };
    let generations = work.move_kept()?;
    watch(Step::Kept)?;
    for (number, file) in mark.files.iter().enumerate() {
        work.place(dirs, file)?;
        watch(Step::Placed(number + 1))?;
    }
    for (number, file) in mark.removals.iter().enumerate() {
        remove(dirs, file)?;
        watch(Step::Removed(number + 1))?;
    }
    *placed = mark.outer.is_empty();
    let journal = work.append_to_journal(dirs)?;
    watch(Step::Journaled)?;
    let changed = dirs.changed().chain(generations).map(Unsynced::Dir);
    stage::sync(&journal.into_iter().chain(changed).collect::<Vec<_>>())?;
    watch(Step::Synced)?;
    // Only now, when the journal tells of them, others may have them.
    let undelivered = work.deliver(besides, watch)?;
    *placed = true;
    work.prune();
    watch(Step::Pruned)?;
    // Moved and synced before anything is removed: to free blocks can take longer than all the rest (mount option `discard`),
    // and no sync has to wait for that.
    match &work.staging {
        Some(staging) => lock.kpki.rename(MARK, staging, MARK)?,
        None => lock.kpki.remove_file(MARK)?,
    }
    lock.kpki.sync()?;
    watch(Step::Unmarked)?;
    // Without a sync: if a power failure undoes the removal, the next run removes it again.
    stage::remove(&lock.kpki, STAGING)?;
    for (root, prepared) in mark.outside() {
        dirs.outside(root).map_or(Ok(()), |dir| dir.remove_tree(&prepared.staging))?;
    }
    Ok(undelivered)
}

/// Removes a file, unless another one has taken its place since the mark was made.
fn remove(dirs: &mut OpenRoots, file: &Removal) -> Result<(), StoreError> {
    let parent = file.path.parent();
    let dirs = dirs.get(file.root)?;
    if !dirs.reach(parent.as_ref())?.whole {
        return Ok(());
    }
    // Also when the file was removed already: an interrupted run may not have synced that.
    let dir = dirs.make(parent.as_ref())?;
    match dir.facts(file.path.file_name())? {
        Some(facts) if file.is(&facts) => Ok(dir.remove_file(file.path.file_name())?),
        _ => Ok(()),
    }
}

struct Work<'a> {
    kpki: &'a Dir,
    mark: &'a CommitMark,
    /// `None`: an earlier run has put everything in place.
    staging: Option<Dir>,
    /// The same in the roots outside the main directory.
    outside: BTreeMap<RootId, Dir>,
}

impl Work<'_> {
    /// Moves the replaced files to the generations, whose directory is returned to be synced.
    fn move_kept(&self) -> Result<Option<Arc<Dir>>, FileError> {
        let Some(staging) = &self.staging else { return Ok(None) };
        if staging.facts(KEPT)?.is_some() {
            let generations = self.kpki.child_or_make(GENERATIONS, KPKI_MODE)?;
            staging.rename(KEPT, &generations, &self.mark.generation)?;
            return Ok(Some(Arc::new(generations)));
        }
        // An interrupted run has moved them, perhaps without a sync.
        Ok(self.kpki.child(GENERATIONS)?.map(Arc::new))
    }

    /// Appends to the journal, which is returned to be synced.
    fn append_to_journal(&self, dirs: &mut OpenRoots) -> Result<Option<Unsynced>, StoreError> {
        let (Some(size), Some(staging)) = (self.mark.journal, &self.staging) else { return Ok(None) };
        // The name may be new.
        dirs.get(RootId::State)?.make(None)?;
        Ok(journal::append(self.kpki, staging, size)?.map(Unsynced::File))
    }

    /// Old generations are removed with the staging directory. One that cannot be moved there is no error: the next commit
    /// tries again.
    fn prune(&self) {
        if let (Some(keep), Some(staging)) = (self.mark.keep_generations, &self.staging) {
            let _ = generation::prune(self.kpki, keep, (&self.mark.generation, &self.mark.pinned), staging);
        }
    }

    /// Puts the files outside the tree in place.
    fn deliver(&self, besides: Vec<Beside>, watch: Watch<'_>) -> Result<Vec<Undelivered>, StoreError> {
        let Some(staging) = &self.staging else { return Ok(Vec::new()) };
        let mut besides = besides.into_iter();
        let mut undelivered = Vec::new();
        for (number, file) in self.mark.outer.iter().enumerate() {
            let generation = &self.mark.generation;
            undelivered.extend(outer::deliver(self.kpki, staging, (number, file), besides.next(), generation)?);
            watch(Step::Delivered(number + 1))?;
        }
        Ok(undelivered)
    }

    fn place(&self, dirs: &mut OpenRoots, file: &Placement) -> Result<(), StoreError> {
        let from = if file.root.is_outside() { self.outside.get(&file.root) } else { self.staging.as_ref() };
        let Some(from) = from else { return Ok(()) };
        let dir = dirs.get(file.root)?.make(file.path.parent().as_ref())?;
        let name = file.path.file_name();
        let mut done = if file.replace {
            from.rename(&file.staged, &dir, name)
        } else {
            from.rename_new(&file.staged, &dir, name)
        };
        if done.as_ref().is_err_and(|error| error.kind == Kind::Exists) {
            self.keep_late_file(&dir, file)?;
            done = from.rename(&file.staged, &dir, name);
        }
        match done {
            // It is no longer prepared, so an interrupted run has put it in place.
            Err(error) if error.kind == Kind::Missing && from.facts(&file.staged)?.is_none() => Ok(()),
            done => Ok(done?),
        }
    }

    /// Keeps a file that appeared after the mark was made: the new one has to take its place, and nothing may be lost.
    fn keep_late_file(&self, dir: &Dir, file: &Placement) -> Result<(), StoreError> {
        let Some(facts) = dir.facts(file.path.file_name())? else { return Ok(()) };
        let generations = self.kpki.child_or_make(GENERATIONS, KPKI_MODE)?;
        let mut kept = OpenDirs::new(generations.child_or_make(&self.mark.generation, KPKI_MODE)?, KPKI_MODE);
        match kept::keep(&mut kept, dir, file.root, &file.path, &facts) {
            // An interrupted run has kept it.
            Err(error) if error.kind == Kind::Exists && error.op == Op::Link => {}
            done => done?,
        }
        stage::sync(&kept.changed().map(Unsynced::Dir).collect::<Vec<_>>())?;
        Ok(generations.sync()?)
    }
}
