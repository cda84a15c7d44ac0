//! The archive beside what lies on the node: what is to be written, and whether it may be.

use super::compare::{Action, Step, compare};
use super::contents::{Contents, Part, What};
use super::merge::{Merged, merge};
use super::place::Home;
use super::request::Request;
use super::{identity, keep, left_over, phase, waiting};
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::files::RelPath;
use crate::plan::unpack::{Older, is_unrelated};
use crate::report::unpack::LeftOver;
use crate::store::{FileChange, RootId};
use crate::workspace::profiles;
use crate::workspace::shipping::manifest::Manifest;
use crate::workspace::shipping::unpacked::Unpacked;
use crate::workspace::state::State;
use zeroize::Zeroizing;

/// What an unpack would do.
pub struct Evaluation<'a> {
    pub merged: Merged,
    /// In the archive's order.
    pub steps: Vec<Step<'a>>,
    /// `unpacked.json` speaks of another archive.
    pub is_unrecorded: bool,
    pub left_over: Vec<LeftOver>,
    pub warnings: Vec<String>,
}

impl<'a> Evaluation<'a> {
    /// Reads what lies there; refuses an archive that may not replace it.
    pub fn of(request: &Request, home: &Home, contents: &'a Contents) -> Result<Self, Error> {
        let recorded = identity::recorded(request)?;
        let another = identity::check(request, contents, recorded.as_ref())?;
        let merged = merge(request, contents, recorded.as_ref())?;
        let embeds = contents.manifest.issue.as_ref().is_some_and(|issue| issue.embeds);
        let mut steps = Vec::with_capacity(contents.parts.len());
        for part in &contents.parts {
            let target = home.target(&part.path).map_err(Error::new)?;
            steps.push(compare(home, part, target, wanted(part, &merged)?, embeds)?);
        }
        let before = identity::manifest_there(&home.tree.roots)?;
        let revisions = revisions(contents, before.as_ref());
        if revisions.is_some_and(|(held, given)| given > held) {
            phase::take_back(&mut steps);
        }
        if request.keep_newer {
            keep::newer(&mut steps);
        }
        let mut warnings = merged.notes.clone();
        warnings.extend(another);
        let others = others(contents, before.as_ref(), recorded.as_ref(), &steps);
        let older = older(revisions, &steps);
        let left_out = phase::left_out(home, contents, &steps)?;
        let held = |one: &Older| matches!(one, Older::List { .. });
        if !request.force {
            if !others.is_empty() {
                return Err(error::archive_of_another_cluster(&request.input.to_string(), &request.dir, &others));
            }
            if !left_out.is_empty() {
                let (input, node) = (request.input.to_string(), &contents.manifest.node);
                return Err(error::steps_left_out(&input, node, &left_out, &request.again("--force")));
            }
            // With --keep-newer a list or entry that stays is no reason to refuse the rest.
            let refused = older.iter().any(|one| !request.keep_newer || !held(one));
            if refused {
                let (input, node) = (request.input.to_string(), &contents.manifest.node);
                let may_keep = older.iter().all(keep::is_kept) && !request.keep_newer;
                let keep = may_keep.then(|| request.again("--keep-newer"));
                let ways = error::Ways { dir: &request.dir, keep: keep.as_deref(), force: &request.again("--force") };
                return Err(error::older_archive(&input, node, &older, &ways));
            }
        }
        warnings
            .extend(others.into_iter().chain(left_out).map(|why| format!("{why}; replaced all the same (--force)")));
        for one in &older {
            let end =
                if held(one) { "what lies there stays, also with --force" } else { "replaced all the same (--force)" };
            warnings.push(format!("{}; {end}", error::older(one)));
        }
        warnings.extend(waiting::warnings(home, &steps)?);
        let left_over = left_over::left_over(home, before.as_ref(), &steps)?;
        let known = Unpacked::read(&request.dir)?;
        let is_unrecorded = known.is_none_or(|known| known.issue != contents.manifest.issue);
        Ok(Self { merged, steps, is_unrecorded, left_over, warnings })
    }

    /// Everything is there already.
    pub fn is_idle(&self) -> bool {
        !self.is_unrecorded && !self.steps.iter().any(Step::is_change)
    }

    /// The entries with new files, in the archive's order.
    pub fn entries(&self) -> Vec<String> {
        entries(&self.steps)
    }

    /// The files to write.
    pub fn changes(&self) -> Vec<FileChange> {
        let changed = self.steps.iter().filter(|step| step.is_change());
        let change = |step: &Step<'_>| FileChange {
            root: step.target.root,
            path: step.target.path.clone(),
            mode: step.part.mode,
            bytes: step.bytes.clone(),
            replace: true,
        };
        changed.map(change).collect()
    }

    pub fn places(&self) -> Vec<(RootId, RelPath, bool)> {
        let changed = self.steps.iter().filter(|step| step.is_change());
        changed.map(|step| (step.target.root, step.target.path.clone(), true)).collect()
    }

    /// Files outside `.kpki` are replaced or made.
    pub fn changes_files(&self) -> bool {
        self.steps.iter().any(|step| step.is_change() && step.target.root != RootId::State)
    }
}

fn entries(steps: &[Step<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for step in steps.iter().filter(|step| step.is_change() && matches!(step.part.what, What::Key | What::Public)) {
        if !names.contains(&step.part.entry) {
            names.push(step.part.entry.clone());
        }
    }
    names
}

fn wanted(part: &Part, merged: &Merged) -> Result<Zeroizing<Vec<u8>>, Error> {
    Ok(match (part.what, &merged.state) {
        (What::Profile, Some(state)) => Zeroizing::new(state.profile.clone()),
        (What::State, Some(state)) => Zeroizing::new(state.document()?.into_bytes()),
        _ => part.bytes.clone(),
    })
}

/// In what respect another cluster's files lie there.
fn others(contents: &Contents, before: Option<&Manifest>, recorded: Option<&State>, steps: &[Step<'_>]) -> Vec<String> {
    let given = &contents.manifest.cluster;
    let recorded = recorded.and_then(|state| profiles::load_state(state, "the recorded profile").ok());
    let held = before.map(|one| one.cluster.clone()).or(recorded.map(|loaded| loaded.profile.cluster_name));
    let name = held.filter(|held| held != given).map(|held| error::other_cluster(&held, given));
    let bundles = steps.iter().filter(|step| step.part.what == What::Public && CaId::parse(&step.part.entry).is_some());
    let other = |step: &&Step<'_>| step.action == Action::Replace && is_unrelated(&step.held, &step.given);
    let unrelated = bundles.filter(other).filter(|step| !phase::is_emergency(contents, &step.part.entry));
    name.into_iter().chain(unrelated.map(|step| error::unrelated(&step.part.entry))).collect()
}

/// The revision of the archive that was unpacked before, and of this one, if both are of the same cluster.
fn revisions(contents: &Contents, before: Option<&Manifest>) -> Option<(u64, u64)> {
    let same = before.filter(|before| before.cluster == contents.manifest.cluster);
    let held = same.and_then(|before| before.issue.as_ref()).map(|issue| issue.revision);
    held.zip(contents.manifest.issue.as_ref().map(|issue| issue.revision))
}

fn older(revisions: Option<(u64, u64)>, steps: &[Step<'_>]) -> Vec<Older> {
    let revision = revisions.filter(|(held, given)| given < held);
    let revision = revision.map(|(held, given)| Older::Revision { held, given });
    let mut all: Vec<Older> = revision.into_iter().chain(steps.iter().filter_map(|step| step.older.clone())).collect();
    all.dedup();
    all
}
