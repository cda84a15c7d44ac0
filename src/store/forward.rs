//! What comes after the commit mark: every step may have been done before by a run that was interrupted.

use std::sync::Arc;

use crate::files::{Dir, Facts, FileError, Kind, Op, RelPath};

use super::clear::STAGING;
use super::error::StoreError;
use super::kept::{self, GENERATIONS, KEPT};
use super::lock::{KPKI_MODE, TreeLock};
use super::mark::{MARK, Manifest, Placement, Removal};
use super::stage::{self, Unsynced};
use super::step::{Step, Watch};
use super::tree::Tree;
use super::{RootId, generation, journal};

/// The trees files are put into, each with the facts of the place its new files come from.
#[derive(Debug)]
pub(super) struct Trees {
    main: (Tree, Facts),
    kubelet: Option<(Tree, Facts)>,
    state: (Tree, Facts),
}

impl Trees {
    pub fn open(hold: &TreeLock, kubelet: Option<Dir>, dir_mode: u32) -> Result<Self, FileError> {
        let home = hold.kpki.own_facts()?;
        // Opened anew: the trees keep their own.
        let kpki = Dir::again(&hold.kpki)?;
        let main = Dir::again(&hold.main)?;
        let kubelet = match kubelet {
            Some(dir) => {
                let facts = dir.own_facts()?;
                Some((Tree::new(dir, dir_mode), facts))
            }
            None => None,
        };
        Ok(Self { main: (Tree::new(main, dir_mode), home), kubelet, state: (Tree::new(kpki, KPKI_MODE), home) })
    }

    pub fn get(&mut self, root: RootId) -> Result<(&mut Tree, &Facts), StoreError> {
        let (tree, home) = match root {
            RootId::Main => &mut self.main,
            RootId::State => &mut self.state,
            RootId::Kubelet => self.kubelet.as_mut().ok_or(StoreError::NoKubeletRoot)?,
        };
        Ok((tree, home))
    }

    pub fn kubelet_root(&self) -> Option<&Arc<Dir>> {
        self.kubelet.as_ref().map(|(tree, _)| tree.root())
    }

    pub fn main(&self) -> &Arc<Dir> {
        self.main.0.root()
    }

    pub fn kpki(&self) -> &Arc<Dir> {
        self.state.0.root()
    }

    fn changed(&self) -> impl Iterator<Item = Arc<Dir>> {
        [Some(&self.main), self.kubelet.as_ref(), Some(&self.state)]
            .into_iter()
            .flatten()
            .flat_map(|(tree, _)| tree.changed())
    }
}

/// Puts every file in place, removes those that are to go, writes the journal, and removes the mark. Every error is
/// [`StoreError::Unfinished`].
pub(super) fn finish(
    hold: &TreeLock,
    manifest: &Manifest,
    trees: &mut Trees,
    watch: &dyn Watch,
) -> Result<(), StoreError> {
    let mut placed = false;
    steps(hold, manifest, trees, watch, &mut placed).map_err(|error| match error.is_crash() {
        true => error,
        false => StoreError::Unfinished { why: Box::new(error), placed },
    })
}

fn steps(
    hold: &TreeLock,
    manifest: &Manifest,
    trees: &mut Trees,
    watch: &dyn Watch,
    placed: &mut bool,
) -> Result<(), StoreError> {
    // Before anything is visible, the mark has to outlive a power failure.
    hold.kpki.sync()?;
    watch.reached(Step::Marked)?;
    let mut run = Run { hold, manifest, staging: hold.kpki.child(STAGING)?, outside: None };
    if let (Some((_, name)), Some(root)) = (&manifest.kubelet, trees.kubelet_root()) {
        run.outside = root.child(name)?;
    }
    let generations = run.file_generation()?;
    watch.reached(Step::Kept)?;
    for (number, file) in manifest.files.iter().enumerate() {
        run.place(trees, file)?;
        watch.reached(Step::Placed(number + 1))?;
    }
    for (number, file) in manifest.removals.iter().enumerate() {
        remove(trees, file)?;
        watch.reached(Step::Removed(number + 1))?;
    }
    *placed = true;
    let journal = run.journal(trees)?;
    watch.reached(Step::Journaled)?;
    let dirs = trees.changed().chain(generations).map(Unsynced::Dir);
    let unsynced: Vec<Unsynced> = journal.into_iter().chain(dirs).collect();
    stage::sync(&unsynced)?;
    watch.reached(Step::Synced)?;
    run.prune();
    watch.reached(Step::Pruned)?;
    // Moved and synced before anything is removed: freeing blocks can take longer than all the rest (mount option
    // `discard`), and no sync is to wait for that.
    match &run.staging {
        Some(staging) => hold.kpki.rename(MARK, staging, MARK)?,
        None => hold.kpki.remove_file(MARK)?,
    }
    hold.kpki.sync()?;
    watch.reached(Step::Unmarked)?;
    // Without a sync: what a power failure brings back, the next run finds without a mark and removes.
    stage::remove(&hold.kpki, STAGING)?;
    if let (Some((_, name)), Some(root)) = (&manifest.kubelet, trees.kubelet_root()) {
        root.remove_tree(name)?;
    }
    Ok(())
}

/// Removes a file, unless it is another than was seen before the decision: that one is somebody else's.
fn remove(trees: &mut Trees, file: &Removal) -> Result<(), StoreError> {
    let parent = file.path.parent();
    let tree = &mut *trees.get(file.root)?.0;
    if !tree.look(parent.as_ref())?.whole {
        return Ok(());
    }
    // Also when it is gone already: an interrupted run may not have come to sync that.
    let dir = tree.make(parent.as_ref())?;
    match dir.facts(file.path.file_name())? {
        Some(facts) if file.is(&facts) => Ok(dir.remove_file(file.path.file_name())?),
        _ => Ok(()),
    }
}

struct Run<'a> {
    hold: &'a TreeLock,
    manifest: &'a Manifest,
    /// `None`: an earlier run had put everything in place.
    staging: Option<Dir>,
    outside: Option<Dir>,
}

impl Run<'_> {
    /// The replaced files go where they stay. The directory they are in now is still to be synced.
    fn file_generation(&self) -> Result<Option<Arc<Dir>>, StoreError> {
        let Some(staging) = &self.staging else { return Ok(None) };
        if staging.facts(KEPT)?.is_some() {
            let generations = self.generations()?;
            staging.rename(KEPT, &generations, &self.manifest.generation)?;
            return Ok(Some(Arc::new(generations)));
        }
        // Moved by an interrupted run, perhaps without a sync.
        Ok(self.hold.kpki.child(GENERATIONS)?.map(Arc::new))
    }

    fn generations(&self) -> Result<Dir, FileError> {
        let kpki = &self.hold.kpki;
        match kpki.child(GENERATIONS)? {
            Some(dir) => Ok(dir),
            None => kpki.make(GENERATIONS, KPKI_MODE),
        }
    }

    /// Appends to the journal; what is to be synced of it.
    fn journal(&self, trees: &mut Trees) -> Result<Option<Unsynced>, StoreError> {
        let (Some(length), Some(staging)) = (self.manifest.journal, &self.staging) else { return Ok(None) };
        // The name may be new.
        trees.get(RootId::State)?.0.make(None)?;
        Ok(journal::append(&self.hold.kpki, staging, length)?.map(Unsynced::File))
    }

    /// Old generations go with the staging directory. One that cannot be removed is no reason to stop here: the next
    /// commit tries again.
    fn prune(&self) {
        if let (Some(keep), Some(staging)) = (self.manifest.keep, &self.staging) {
            let _ = generation::prune(&self.hold.kpki, keep, &self.manifest.generation, staging);
        }
    }

    fn place(&self, trees: &mut Trees, file: &Placement) -> Result<(), StoreError> {
        let from = if file.root == RootId::Kubelet { &self.outside } else { &self.staging };
        let Some(from) = from else { return Ok(()) };
        let parent = file.path.parent();
        let dir = trees.get(file.root)?.0.make(parent.as_ref())?;
        let name = file.path.file_name();
        let done = if file.replace {
            from.rename(&file.staged, &dir, name)
        } else {
            match from.rename_new(&file.staged, &dir, name) {
                Err(error) if error.kind == Kind::Exists => {
                    self.keep_intruder(&dir, file)?;
                    from.rename(&file.staged, &dir, name)
                }
                done => done,
            }
        };
        match done {
            // Not prepared any more means that it is in place.
            Err(error) if error.kind == Kind::Missing && from.facts(&file.staged)?.is_none() => Ok(()),
            done => Ok(done?),
        }
    }

    /// A file that turned up after the decision: there is no way back from here, and nothing may be lost.
    fn keep_intruder(&self, dir: &Dir, file: &Placement) -> Result<(), StoreError> {
        let name = file.path.file_name();
        let Some(facts) = dir.facts(name)? else { return Ok(()) };
        let generations = self.generations()?;
        let generation = match generations.child(&self.manifest.generation)? {
            Some(generation) => generation,
            None => generations.make(&self.manifest.generation, KPKI_MODE)?,
        };
        let mut tree = Tree::new(generation, KPKI_MODE);
        let path: &RelPath = &file.path;
        match kept::keep(&mut tree, dir, file.root, path, &facts) {
            // Kept by the run that was interrupted here.
            Err(error) if error.kind == Kind::Exists && error.op == Op::Link => {}
            kept => kept?,
        }
        let dirs: Vec<Unsynced> = tree.changed().map(Unsynced::Dir).collect();
        stage::sync(&dirs)?;
        Ok(generations.sync()?)
    }
}
