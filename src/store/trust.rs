//! Whose `.kpki` is trusted. Its content decides what is renamed where and which hooks run, so it has to belong to this user
//! or to root, and nobody else may be able to write to it. The owner of the directory above does not matter.

use std::path::Path;

use crate::files::{Dir, Facts};

use super::error::StoreError;
use super::roots::{KPKI, Roots, or_here};

/// Group and others.
const WRITABLE: u32 = 0o022;

/// `.kpki` of a tree after a check of its owner and mode; `None`: there is none.
pub fn own(main: &Dir) -> Result<Option<Dir>, StoreError> {
    let Some(kpki) = main.child(KPKI)? else { return Ok(None) };
    judge(&kpki.own_facts()?, kpki.path())?;
    Ok(Some(kpki))
}

/// The same by the path of the tree, which may not exist.
pub(super) fn open(roots: &Roots) -> Result<Option<Dir>, StoreError> {
    Dir::open_if_exists(or_here(&roots.main))?.map_or(Ok(None), |main| own(&main))
}

/// Checks owner and mode of a file in `.kpki`. One that does not exist is fine.
pub fn check_own(kpki: &Dir, name: &str) -> Result<(), StoreError> {
    match kpki.facts(name)? {
        Some(facts) => judge(&facts, &kpki.path_of(name)),
        None => Ok(()),
    }
}

fn judge(facts: &Facts, path: &Path) -> Result<(), StoreError> {
    if is_trusted(facts.uid, facts.mode, rustix::process::geteuid().as_raw()) {
        return Ok(());
    }
    Err(StoreError::Untrusted { path: path.to_path_buf(), owner: facts.uid, mode: facts.mode })
}

const fn is_trusted(owner: u32, mode: u32, us: u32) -> bool {
    (owner == us || owner == 0) && mode & WRITABLE == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_this_user_and_root_that_others_cannot_write_are_trusted() {
        for (owner, mode, us, trusted) in [
            (0, 0o700, 0, true),
            (0, 0o755, 1000, true),
            (1000, 0o640, 1000, true),
            (1000, 0o700, 0, false),
            (65534, 0o700, 1000, false),
            (0, 0o777, 0, false),
            (0, 0o770, 0, false),
            (1000, 0o702, 1000, false),
            (0, 0o1777, 0, false),
        ] {
            assert_eq!(is_trusted(owner, mode, us), trusted, "{owner} {mode:o} {us}");
        }
    }
}
