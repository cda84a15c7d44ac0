//! Publishes a set of files, all or nothing, in whichever of the two ways the place allows.

use crate::files::RelPath;

use super::check::{self, Wanted};
use super::create::{self, Created};
use super::error::StoreError;
use super::step::{Unwatched, Watch};
use super::{Commit, How, Receipt, Recovery, merge};

/// Publishes. On an error other than [`StoreError::Unfinished`] and [`StoreError::Unsynced`] nothing was changed.
pub fn publish(commit: &Commit<'_>) -> Result<Receipt, StoreError> {
    publish_watched(commit, &Unwatched)
}

pub(super) fn publish_watched(commit: &Commit<'_>, watch: &dyn Watch) -> Result<Receipt, StoreError> {
    let generation = RelPath::parse(commit.generation)?;
    if generation.parent().is_some() {
        return Err(crate::files::BadPath(commit.generation.to_owned()).into());
    }
    let wanted: Vec<Wanted<'_>> = commit.wanted().collect();
    check::paths(commit.roots, &wanted)?;
    if let Some(site) = create::site(commit)? {
        match create::create(commit, &site, watch)? {
            Created::Done { generation } => {
                return Ok(Receipt { how: How::Created, kept: None, generation, recovered: Recovery::Nothing });
            }
            Created::NotByRename => {}
        }
    }
    merge::merge(commit, watch)
}
