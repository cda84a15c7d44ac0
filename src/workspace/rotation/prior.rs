//! The certificates and credentials as they were before a switch, from the generation that it made: the way back needs no new ones.

use zeroize::Zeroizing;

use crate::error::Error;
use crate::files::{FileState, RelPath};
use crate::plan::renew::Credential;
use crate::store::{self, FileChange, PriorFile, StoreError};
use crate::tree::{EntryId, Place, Survey};
use crate::workspace::{TreeDir, generations};

/// One file as it was.
#[derive(Debug, Clone)]
pub struct Prior {
    pub id: EntryId,
    pub place: Place,
    mode: u32,
    bytes: Zeroizing<Vec<u8>>,
}

impl Prior {
    pub fn change(&self) -> Result<FileChange, Error> {
        Ok(self.place.change(self.mode, self.bytes.clone())?)
    }
}

/// What is known of these credentials as they were before a generation's commit; of each all its files. Those that were revoked since
/// are not among them. `Ok(None)`: the generation is gone.
///
/// # Errors
/// A kept file cannot be read.
pub fn before<'c>(
    tree: &TreeDir,
    generation: &str,
    credentials: impl Iterator<Item = &'c Credential>,
) -> Result<Option<Vec<Prior>>, Error> {
    let credentials: Vec<&Credential> = credentials.collect();
    let wanted = |path: &RelPath| credentials.iter().any(|one| one.places().any(|place| place.path == path.as_str()));
    let found = match store::before_of(&tree.roots, generation, wanted) {
        Err(StoreError::NoGeneration(_)) => return Ok(None),
        found => found?,
    };
    let (revoked, _) = generations::revoked(tree, &found)?;
    let is_revoked = |place: &Place| revoked.iter().any(|(path, _)| *path == place.shown(&tree.roots));
    let of = |place: &Place| -> Option<&(u32, Zeroizing<Vec<u8>>)> {
        let is_it = |one: &&PriorFile| one.root == place.root_id() && one.path.as_str() == place.path;
        found.iter().find(is_it)?.content.as_ref()
    };
    let mut all = Vec::new();
    for credential in credentials.into_iter().filter(|one| !one.places().any(is_revoked)) {
        let files: Option<Vec<Prior>> = credential
            .places()
            .map(|place| {
                let (mode, bytes) = of(place)?;
                Some(Prior { id: credential.id.clone(), place: place.clone(), mode: *mode, bytes: bytes.clone() })
            })
            .collect();
        all.extend(files.into_iter().flatten());
    }
    Ok(Some(all))
}

/// Which of these files were there before a generation's commit, and are touched since. A generation that is gone knows of none.
///
/// # Errors
/// What is kept cannot be read.
pub fn were_there(tree: &TreeDir, generation: &str, places: Vec<Place>) -> Result<Vec<Place>, Error> {
    let found = match store::before_of(&tree.roots, generation, |path| is_one_of(&places, path)) {
        Err(StoreError::NoGeneration(_)) => return Ok(Vec::new()),
        found => found?,
    };
    let is_kept = |place: &Place| {
        let is_it = |one: &PriorFile| one.root == place.root_id() && one.path.as_str() == place.path;
        found.iter().any(|one| is_it(one) && one.content.is_some())
    };
    Ok(places.into_iter().filter(is_kept).collect())
}

fn is_one_of(places: &[Place], path: &RelPath) -> bool {
    places.iter().any(|place| place.path == path.as_str())
}

/// The tree with these files in place of its own.
pub fn place(all: &[Prior], survey: &mut Survey) {
    for one in all {
        if let Some(FileState::File { bytes, .. }) = survey.get_mut(&one.place) {
            bytes.clone_from(&one.bytes);
        }
    }
}
