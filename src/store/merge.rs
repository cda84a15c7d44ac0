//! Files into a tree that exists: prepared beside it, decided by the commit mark, put in place one by one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files::{Dir, Facts, FileError, Kind, Look, Op, RelPath};

use super::check::Survey;
use super::clear::{self, STAGING};
use super::created_dirs::CreatedDirs;
use super::error::StoreError;
use super::forward::{self, Trees};
use super::generation::{self, RECORD};
use super::journal;
use super::kept::{self, GENERATIONS, KEPT};
use super::lock::{KPKI_MODE, TreeLock};
use super::mark::{MARK, Manifest, Placement, Removal};
use super::recover;
use super::stage::{self, Job, Unsynced};
use super::step::{Step, Watch};
use super::tree::Tree;
use super::{Commit, FileChange, How, Locking, Receipt, RootId};

pub(super) fn merge(commit: &Commit<'_>, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let mut created_dirs = CreatedDirs::default();
    let result = locked(commit, &mut created_dirs, watch);
    match &result {
        Ok(_) | Err(StoreError::Unfinished { .. }) => {}
        Err(error) if error.is_crash() => {}
        Err(_) => created_dirs.undo(),
    }
    result
}

/// Takes the lock and finishes or removes what an earlier run left.
fn locked(commit: &Commit<'_>, created_dirs: &mut CreatedDirs, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let taken;
    let hold = match commit.locking {
        Locking::Held(hold) => hold,
        Locking::Wait(wait) => {
            created_dirs.make(&commit.roots.main, commit.dir_mode)?;
            taken = TreeLock::take(&commit.roots.main, wait)?;
            &taken
        }
    };
    let result = prepared(commit, hold, created_dirs, watch);
    match &result {
        Ok(_) | Err(StoreError::Unfinished { .. }) => hold.used.set(true),
        Err(error) if error.is_crash() => hold.used.set(true),
        Err(_) => {}
    }
    result
}

/// Everything up to the decision, undone on an error; then what cannot fail for a reason of ours.
fn prepared(
    commit: &Commit<'_>,
    hold: &TreeLock,
    created_dirs: &mut CreatedDirs,
    watch: &dyn Watch,
) -> Result<Receipt, StoreError> {
    let recovered = recover::under(hold, commit.roots)?;
    watch.reached(Step::Locked)?;
    let mut plan = Plan::open(commit, hold, created_dirs)?;
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
    let generation = plan.generation.then(|| manifest.generation.clone());
    let kept = (!plan.kept.is_empty()).then(|| hold.kpki.path_of(GENERATIONS).join(&manifest.generation));
    forward::finish(hold, &manifest, &mut plan.trees, watch)?;
    Ok(Receipt { how: How::Merged, kept, generation, recovered })
}

/// A merge being prepared.
struct Plan {
    trees: Trees,
    /// What is at each destination: of the changes, then of the removals.
    found: Vec<Option<Facts>>,
    /// The kubelet's directory, absolute, and the name of the staging directory in it.
    kubelet: Option<(PathBuf, String)>,
    staging: Option<Arc<Dir>>,
    /// Files that are about to be replaced or removed.
    kept: Vec<(RootId, RelPath)>,
    /// Files that are not there yet.
    created: Vec<(RootId, RelPath)>,
    /// There is something to keep, or to note.
    generation: bool,
}

impl Plan {
    /// Looks at every destination; the only thing made is the kubelet's directory, when it is missing.
    fn open(commit: &Commit<'_>, hold: &TreeLock, created_dirs: &mut CreatedDirs) -> Result<Self, StoreError> {
        let filled = commit.changes.iter().any(|change| change.root == RootId::Kubelet);
        let (kubelet, kubelet_dir) = match &commit.roots.kubelet {
            // It is made for new files, not to find none there that are to go.
            Some(path) if filled || (commit.uses_kubelet() && rustix::fs::stat(path).is_ok()) => {
                let dir = created_dirs.make(path, commit.dir_mode)?;
                (Some((absolute(path)?, clear::kubelet_staging(&absolute(hold.main.path())?))), Some(dir))
            }
            _ => (None, None),
        };
        let trees = Trees::open(hold, kubelet_dir, commit.dir_mode)?;
        let (kept, created) = (Vec::new(), Vec::new());
        let mut plan = Self { trees, found: Vec::new(), kubelet, staging: None, kept, created, generation: false };
        plan.found = plan.survey(commit)?;
        // kpki's own state is replaced all the time and is not worth keeping.
        let worth = commit.wanted().zip(&plan.found).enumerate().filter(|(_, ((root, ..), _))| *root != RootId::State);
        for (number, ((root, path, _), found)) in worth {
            match found {
                Some(_) => plan.kept.push((root, path.clone())),
                None if number < commit.changes.len() => plan.created.push((root, path.clone())),
                None => {}
            }
        }
        plan.generation = !plan.kept.is_empty() || (commit.note.is_some() && !plan.created.is_empty());
        Ok(plan)
    }

    fn survey(&mut self, commit: &Commit<'_>) -> Result<Vec<Option<Facts>>, StoreError> {
        let mut survey = Survey::default();
        let mut found = Vec::with_capacity(commit.changes.len());
        for wanted in commit.wanted() {
            if wanted.0 == RootId::Kubelet && self.kubelet.is_none() {
                found.push(None);
                continue;
            }
            let (tree, home) = self.trees.get(wanted.0)?;
            found.push(survey.look(tree, home, wanted)?);
        }
        survey.finish()?;
        Ok(found)
    }

    /// Writes the new files, keeps the old ones, and writes the manifest; all of it synced.
    fn stage(&mut self, commit: &Commit<'_>, hold: &TreeLock, watch: &dyn Watch) -> Result<Manifest, StoreError> {
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
        let manifest = Manifest {
            generation: kept::free_name(&hold.kpki, commit.generation)?,
            dir_mode: commit.dir_mode,
            kubelet: self.kubelet.clone(),
            files,
            removals: self.removals(commit),
            journal: if commit.journal.is_empty() { None } else { Some(journal::length(&hold.kpki)?) },
            keep: commit.keep_generations,
        };
        let own = |dir: &Arc<Dir>, name: &str, bytes| Job {
            dir: Arc::clone(dir),
            name: name.to_owned(),
            look: Look { mode: 0o600, owner: None },
            bytes,
        };
        let lines = journal::text(&commit.journal);
        if manifest.journal.is_some() {
            jobs.push(own(&staging, journal::LINES, lines.as_bytes()));
        }
        let mut dirs = vec![Arc::clone(&staging), Arc::clone(self.trees.kpki())];
        let record;
        if self.generation {
            let kept = self.keep(commit, &staging)?;
            let sequence = generation::next_sequence(&hold.kpki)?;
            record = generation::record(sequence, commit.note.as_deref(), &self.created, &self.kept);
            jobs.push(own(kept.root(), RECORD, &record));
            dirs.extend(kept.changed());
        }
        let json = manifest.to_json();
        jobs.push(own(&staging, MARK, &json));
        if hold.made {
            dirs.push(Arc::clone(self.trees.main()));
        }
        dirs.extend(outside);
        dirs.extend(self.trees.kubelet_root().map(Arc::clone));
        let mut unsynced = stage::write(&jobs)?;
        unsynced.extend(dirs.into_iter().map(Unsynced::Dir));
        stage::sync(&unsynced)?;
        watch.reached(Step::Staged)?;
        Ok(manifest)
    }

    /// The files that are to go and are there.
    fn removals(&self, commit: &Commit<'_>) -> Vec<Removal> {
        let all = commit.wanted().zip(&self.found).skip(commit.changes.len());
        all.filter_map(|((root, path, _), found)| Some(Removal::of(root, path, found.as_ref()?))).collect()
    }

    /// The files about to be replaced or removed, by a second name.
    fn keep(&mut self, commit: &Commit<'_>, staging: &Dir) -> Result<Tree, StoreError> {
        let mut generation = Tree::new(staging.make(KEPT, KPKI_MODE)?, KPKI_MODE);
        generation.make(None)?;
        for ((root, path, _), found) in commit.wanted().zip(&self.found) {
            if let (Some(facts), true) = (found, root != RootId::State) {
                let dir = self.trees.get(root)?.0.look(path.parent().as_ref())?.dir;
                kept::keep(&mut generation, &dir, root, path, facts)?;
            }
        }
        Ok(generation)
    }

    /// The last look before the decision: what was there is there, what was not is not.
    fn check_again(&mut self, commit: &Commit<'_>) -> Result<(), StoreError> {
        let now = self.survey(commit)?;
        for (((root, path, _), before), now) in commit.wanted().zip(&self.found).zip(&now) {
            let same = match (before, now) {
                (Some(before), Some(now)) => before.same(now),
                (None, None) => true,
                _ => false,
            };
            if !same {
                return Err(StoreError::ChangedMeanwhile(commit.roots.path_of(root, path)));
            }
        }
        Ok(())
    }

    /// The commit mark. Once the rename is done the decision is made, even if its sync fails.
    fn decide(&self, hold: &TreeLock) -> Result<(), StoreError> {
        if let Some(staging) = &self.staging {
            staging.rename(MARK, &hold.kpki, MARK)?;
        }
        Ok(())
    }

    fn undo(&self, hold: &TreeLock) {
        // The error that led here is the one to tell; what cannot be removed now, the next run removes.
        let _ = hold.kpki.remove_tree(STAGING);
        if let (Some((_, name)), Some(root)) = (&self.kubelet, self.trees.kubelet_root()) {
            let _ = root.remove_tree(name);
        }
    }
}

/// A replaced file keeps its mode and owner, but what only its owner is to read never has a wider mode than that. A group
/// that could read it while others could not was let in on purpose (etcd under a user of its own, say) and stays.
fn look(change: &FileChange, found: Option<&Facts>, us: (u32, u32)) -> Look {
    let wanted = change.mode & 0o777;
    let Some(found) = found else { return Look { mode: wanted, owner: None } };
    let private = wanted & 0o077 == 0;
    let mode = match (private, found.mode & 0o007) {
        (true, 0) => found.mode & (wanted | 0o040),
        (true, _) => found.mode & wanted,
        (false, _) => found.mode & 0o777,
    };
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
