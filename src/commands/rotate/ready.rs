//! A step that is decided and not carried out yet.

use super::context::Planned;
use super::make::Following;
use crate::error::Error;
use crate::files::RelPath;
use crate::store::RootId;
use crate::tree::{EntryId, Issuers};
use crate::workspace::Snapshot;
use crate::workspace::rotation::change::Authorities;
use crate::workspace::rotation::lists::Lists;

/// A step that is decided, with the tree as it will be.
pub(super) struct Ready {
    pub planned: Planned,
    pub authorities: Authorities,
    pub snapshot: Snapshot,
    pub issuers: Issuers,
    pub following: Following,
    pub lists: Lists,
}

impl Ready {
    /// The entries with new files.
    pub fn ids(&self) -> Vec<EntryId> {
        let mut ids = [&self.planned.signing_ids[..], &self.authorities.ids].concat();
        let more = self.following.made().map(|one| &one.id).chain(self.following.repairs.iter().map(|one| &one.id));
        let more = more.chain(self.following.put_back(&self.planned.put_back).map(|one| &one.id));
        for id in more {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids
    }

    /// The files to write.
    pub fn places(&self) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
        let changes = self.planned.signing.iter().chain(&self.authorities.changes).chain(&self.lists.changes);
        let changes = changes.chain(&self.planned.own);
        let mut all: Vec<_> = changes.map(|one| (one.root, one.path.clone(), true)).collect();
        let made = self.following.made().flat_map(|one| one.places());
        let put_back = self.following.put_back(&self.planned.put_back).map(|one| &one.place);
        for place in made.chain(self.following.repairs.iter().map(|one| &one.place)).chain(put_back) {
            all.push((place.root_id(), RelPath::parse(place.path.as_str())?, true));
        }
        Ok(all)
    }
}
