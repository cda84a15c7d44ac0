//! Files into a tree that exists: prepared beside it, decided by the commit mark, put in place one by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Dir, Facts, FileError, Kind, Look, Op};

use super::check::{Survey, Wanted};
use super::clear::{self, STAGING};
use super::error::StoreError;
use super::forward::{self, Trees};
use super::ground::Ground;
use super::kept::{self, GENERATIONS, KEPT};
use super::lock::{Hold, KPKI_MODE};
use super::mark::{MARK, Manifest, Placement};
use super::recover;
use super::stage::{self, Job};
use super::step::{Step, Watch};
use super::tree::Tree;
use super::{Commit, FileChange, How, Locking, Receipt, RootId};

pub(super) fn merge(commit: &Commit<'_>, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let mut ground = Ground::default();
    let result = locked(commit, &mut ground, watch);
    match &result {
        Ok(_) | Err(StoreError::Unfinished(_)) => {}
        Err(error) if error.is_crash() => {}
        Err(_) => ground.undo(),
    }
    result
}

/// Takes the lock and finishes or removes what an earlier run left.
fn locked(commit: &Commit<'_>, ground: &mut Ground, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let taken;
    let hold = match commit.locking {
        Locking::Held(hold) => hold,
        Locking::Wait(wait) => {
            ground.make(&commit.roots.main, commit.dir_mode)?;
            taken = Hold::take(&commit.roots.main, wait)?;
            &taken
        }
    };
    let result = prepared(commit, hold, ground, watch);
    match &result {
        Ok(_) | Err(StoreError::Unfinished(_)) => hold.used.set(true),
        Err(error) if error.is_crash() => hold.used.set(true),
        Err(_) => {}
    }
    result
}

/// Everything up to the decision, undone on an error; then what cannot fail for a reason of ours.
fn prepared(commit: &Commit<'_>, hold: &Hold, ground: &mut Ground, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let recovered = recover::under(hold, commit.roots)?;
    watch.reached(Step::Locked)?;
    let mut plan = Plan::open(commit, hold, ground)?;
    let decided = plan.stage(commit, hold, watch).and_then(|manifest| {
        plan.check_again(commit)?;
        hold.check()?;
        watch.reached(Step::Checked)?;
        plan.decide(hold)?;
        Ok(manifest)
    });
    let manifest = match decided {
        Ok(manifest) => manifest,
        Err(error) => {
            if !error.is_crash() {
                plan.undo(hold);
            }
            return Err(error);
        }
    };
    let kept = plan.kept.then(|| hold.kpki.path_of(GENERATIONS).join(&manifest.generation));
    forward::finish(hold, &manifest, &mut plan.trees, watch).map_err(|error| match error.is_crash() {
        true => error,
        false => StoreError::Unfinished(Box::new(error)),
    })?;
    Ok(Receipt { how: How::Merged, kept, recovered })
}

/// A merge being prepared.
struct Plan {
    trees: Trees,
    /// What is at each destination, in the order of the changes.
    found: Vec<Option<Facts>>,
    /// The kubelet's directory, absolute, and the name of the staging directory in it.
    kubelet: Option<(PathBuf, String)>,
    staging: Option<Arc<Dir>>,
    /// A file is to be replaced, so there is a generation.
    kept: bool,
}

impl Plan {
    /// Looks at every destination; the only thing made is the kubelet's directory, when it is missing.
    fn open(commit: &Commit<'_>, hold: &Hold, ground: &mut Ground) -> Result<Self, StoreError> {
        let kubelet_used = commit.changes.iter().any(|change| change.root == RootId::Kubelet);
        let (kubelet, kubelet_dir) = match &commit.roots.kubelet {
            Some(path) if kubelet_used => {
                let dir = ground.make(path, commit.dir_mode)?;
                (Some((absolute(path)?, clear::kubelet_staging(&absolute(hold.main.path())?))), Some(dir))
            }
            _ => (None, None),
        };
        let trees = Trees::open(hold, kubelet_dir, commit.dir_mode)?;
        let mut plan = Self { trees, found: Vec::new(), kubelet, staging: None, kept: false };
        plan.found = plan.survey(commit)?;
        plan.kept = commit.changes.iter().zip(&plan.found).any(|(change, found)| found.is_some() && is_kept(change));
        Ok(plan)
    }

    fn survey(&mut self, commit: &Commit<'_>) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut survey = Survey::default();
        let mut found = Vec::with_capacity(commit.changes.len());
        for change in &commit.changes {
            let wanted: Wanted<'_> = (change.root, &change.path, change.replace);
            let (tree, home) = self.trees.get(change.root)?;
            found.push(survey.look(tree, home, wanted)?);
        }
        survey.finish()?;
        Ok(found)
    }

    /// Writes the new files, keeps the old ones, and writes the manifest; all of it synced.
    fn stage(&mut self, commit: &Commit<'_>, hold: &Hold, watch: &dyn Watch) -> Result<Manifest, StoreError> {
        let staging = Arc::new(hold.kpki.make(STAGING, KPKI_MODE)?);
        self.staging = Some(Arc::clone(&staging));
        let outside = match (&self.kubelet, self.trees.kubelet_root()) {
            (Some((_, name)), Some(root)) => Some(Arc::new(root.make(name, KPKI_MODE)?)),
            _ => None,
        };
        let us = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let mut jobs = Vec::with_capacity(commit.changes.len());
        let mut files = Vec::with_capacity(commit.changes.len());
        for (number, (change, found)) in commit.changes.iter().zip(&self.found).enumerate() {
            let dir = match (&outside, change.root) {
                (Some(outside), RootId::Kubelet) => Arc::clone(outside),
                _ => Arc::clone(&staging),
            };
            let staged = number.to_string();
            jobs.push(Job { dir, name: staged.clone(), look: look(change, found.as_ref(), us), bytes: &change.bytes });
            files.push(Placement { root: change.root, staged, path: change.path.clone(), replace: change.replace });
        }
        let generation = kept::free_name(&hold.kpki, commit.generation)?;
        let manifest = Manifest { generation, dir_mode: commit.dir_mode, kubelet: self.kubelet.clone(), files };
        let json = manifest.to_json();
        let look = Look { mode: 0o600, owner: None };
        jobs.push(Job { dir: Arc::clone(&staging), name: MARK.to_owned(), look, bytes: &json });
        stage::write(&jobs)?;
        let mut dirs = vec![Arc::clone(&staging), Arc::clone(self.trees.kpki())];
        if hold.made {
            dirs.push(Arc::clone(self.trees.main()));
        }
        dirs.extend(outside);
        dirs.extend(self.trees.kubelet_root().map(Arc::clone));
        if self.kept {
            dirs.extend(self.keep(commit, &staging)?.changed());
        }
        stage::sync(&dirs)?;
        watch.reached(Step::Staged)?;
        Ok(manifest)
    }

    /// The files about to be replaced, by a second name.
    fn keep(&mut self, commit: &Commit<'_>, staging: &Dir) -> Result<Tree, StoreError> {
        let mut generation = Tree::new(staging.make(KEPT, KPKI_MODE)?, KPKI_MODE);
        for (change, found) in commit.changes.iter().zip(&self.found) {
            if let (Some(facts), true) = (found, is_kept(change)) {
                let dir = self.trees.get(change.root)?.0.look(change.path.parent().as_ref())?.dir;
                kept::keep(&mut generation, &dir, change.root, &change.path, facts)?;
            }
        }
        Ok(generation)
    }

    /// The last look before the decision: what was there is there, what was not is not.
    fn check_again(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let now = self.survey(commit)?;
        for ((change, before), now) in commit.changes.iter().zip(&self.found).zip(&now) {
            let same = match (before, now) {
                (Some(before), Some(now)) => before.same(now),
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Err(StoreError::ChangedMeanwhile(commit.roots.path_of(change.root, &change.path)));
            }
        }
        Ok(())
    }

    /// The commit mark. Once the rename is done the decision is made, even if its sync fails.
    fn decide(&self, hold: &Hold) -> Result<(), StoreError> {
        if let Some(staging) = &self.staging {
            staging.rename(MARK, &hold.kpki, MARK)?;
        }
        Ok(())
    }

    fn undo(&self, hold: &Hold) {
        // The error that led here is the one to tell; what cannot be removed now, the next run removes.
        let _ = hold.kpki.remove_tree(STAGING);
        if let (Some((_, name)), Some(root)) = (&self.kubelet, self.trees.kubelet_root()) {
            let _ = root.remove_tree(name);
        }
    }
}

/// kpki's own state is replaced all the time and is not worth keeping.
fn is_kept(change: &FileChange) -> bool {
    change.root != RootId::State
}

/// A replaced file keeps its mode and owner, but what only its owner is to read never has a wider mode than that.
fn look(change: &FileChange, found: Option<&Facts>, us: (u32, u32)) -> Look {
    let wanted = change.mode & 0o777;
    let Some(found) = found else { return Look { mode: wanted, owner: None } };
    let private = wanted & 0o077 == 0;
    let mode = if private { found.mode & wanted } else { found.mode & 0o777 };
    let owner = (found.uid, found.gid);
    Look { mode, owner: (owner != us).then_some(owner) }
}

/// Where a later run finds it, whatever directory that is started in.
fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    let failed = |kind| FileError::new(Op::Open, path, kind);
    let real = std::fs::canonicalize(path)
        .map_err(|error| failed(rustix::io::Errno::from_io_error(&error).map_or(Kind::Missing, Kind::from)))?;
    // The manifest is JSON: text.
    if real.to_str().is_none() { Err(failed(Kind::Io(rustix::io::Errno::ILSEQ))) } else { Ok(real) }
}
