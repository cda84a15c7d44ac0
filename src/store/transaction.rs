//! Publishes a set of files, all or nothing: a new tree by one rename, or else a merge.

use crate::files::{BadPath, RelPath};
use crate::signals;

use super::commit::{Commit, Destination, Receipt};
use super::error::StoreError;
use super::step::{Step, Watch};
use super::{check, create, merge};

/// Publishes. After an error other than [`StoreError::Unfinished`] and [`StoreError::Unsynced`] nothing is changed.
pub fn publish(commit: &Commit<'_>) -> Result<Receipt, StoreError> {
    // What this run has made is removed again, or finished, before a signal ends it.
    let _held = signals::hold();
    publish_watched(commit, &stop)
}

/// Where a signal stops a run. After the commit mark none does: the commit is finished first.
fn stop(step: Step) -> Result<(), StoreError> {
    match step {
        Step::Locked | Step::Staged | Step::Checked => Ok(signals::check()?),
        _ => Ok(()),
    }
}

pub(super) fn publish_watched(commit: &Commit<'_>, watch: Watch<'_>) -> Result<Receipt, StoreError> {
    if RelPath::parse(commit.generation)?.parent().is_some() {
        return Err(BadPath(commit.generation.to_owned()).into());
    }
    let destinations: Vec<Destination<'_>> = commit.destinations().collect();
    check::paths(commit.roots, &destinations, commit.forgets)?;
    if let Some(place) = create::place(commit)?
        && let Some(receipt) = create::create(commit, &place, watch)?
    {
        return Ok(receipt);
    }
    merge::merge(commit, watch)
}
