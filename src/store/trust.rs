//! Whose `.kpki` is trusted. Its content decides what is renamed where and which hooks run, so that nobody but this user and
//! root may have written it, or be able to put another in its place: owner and mode of the directories above count, too.

use std::path::Path;

use crate::files::{self, Dir};

use super::error::StoreError;
use super::roots::{KPKI, Roots, or_here};

/// `.kpki` of a tree after a check of owners and modes; `None`: there is none.
pub fn own(main: &Dir) -> Result<Option<Dir>, StoreError> {
    let Some(kpki) = main.child(KPKI)? else { return Ok(None) };
    files::trusted(kpki.path())?;
    Ok(Some(kpki))
}

/// The same by the path of the tree, which may not exist.
pub(super) fn open(roots: &Roots) -> Result<Option<Dir>, StoreError> {
    Dir::open_if_exists(or_here(&roots.main))?.map_or(Ok(None), |main| own(&main))
}

/// Checks a tree's `.kpki`, or where it is going to be: what nobody trusts later must not be made.
pub fn check_place(main: &Path) -> Result<(), StoreError> {
    files::trusted(&or_here(main).join(KPKI))?;
    Ok(())
}

/// Checks owner and mode of a file in `.kpki`. One that does not exist is fine.
pub fn check_own(kpki: &Dir, name: &str) -> Result<(), StoreError> {
    Ok(files::trusted_entry(kpki, name)?)
}
