//! Staging directories: their names, and the removal of those that dead runs left.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use rustix::fs::FlockOperation;

use crate::files::{Dir, FileError, What};

/// The staging directory of a merge, in `.kpki`. The lock makes one name enough.
pub(super) const STAGING: &str = "staging";

/// Longest part of the tree's own name in the name of a sibling: 255 bytes are all a name may have.
const STEM: usize = 200;

/// The beginning of the names of staging directories beside a tree.
fn prefix(name: &OsStr) -> Vec<u8> {
    let stem = name.as_bytes().get(..STEM).unwrap_or(name.as_bytes());
    [b".", stem, b".kpki-"].concat()
}

/// The name of the n-th staging directory this process tries to make beside a tree.
pub(super) fn sibling(name: &OsStr, n: u32) -> OsString {
    let mut sibling = prefix(name);
    sibling.extend_from_slice(format!("{}-{n}", std::process::id()).as_bytes());
    OsString::from_vec(sibling)
}

/// Removes staging directories beside a tree whose processes have ended. A living maker holds a lock on its directory; a name
/// of this form that belongs to another user is left alone.
pub(super) fn stale_siblings(parent: &Dir, name: &OsStr) -> Result<(), FileError> {
    let prefix = prefix(name);
    let us = rustix::process::geteuid().as_raw();
    for entry in parent.list()? {
        let numbers = entry.name.as_bytes().strip_prefix(prefix.as_slice());
        let ours = numbers.is_some_and(|rest| rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'));
        if !ours || !matches!(entry.what, What::Directory | What::Unknown) {
            continue;
        }
        let Ok(Some(dir)) = parent.child(&entry.name) else { continue };
        let stale = dir.own_facts().is_ok_and(|facts| facts.uid == us)
            && rustix::fs::flock(&dir, FlockOperation::NonBlockingLockExclusive).is_ok();
        // Its maker may have been alive until now.
        if stale && is_named(parent, &entry.name, &dir)? {
            parent.remove_tree(&entry.name)?;
        }
    }
    Ok(())
}

/// Whether the open directory still has this name.
pub(super) fn is_named(parent: &Dir, name: &OsStr, dir: &Dir) -> Result<bool, FileError> {
    let named = parent.child(name)?.map(|named| named.own_facts()).transpose()?;
    Ok(named.map(|named| named.inode) == Some(dir.own_facts()?.inode))
}

/// The name of the staging directory in a directory outside the tree. Two trees may share that directory, and what one of
/// them has prepared there is not the other's to remove, so the name follows from where the tree is (FNV-1a of its path; a
/// collision needs two paths that were chosen for it).
pub(super) fn outside_staging(main: &Path) -> String {
    let hash =
        main.as_os_str().as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!(".kpki-staging-{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sibling_name_fits_and_is_recognised() {
        let long = OsString::from("n".repeat(255));
        assert!(sibling(&long, u32::MAX).len() <= 255);
        assert_ne!(outside_staging(Path::new("/a")), outside_staging(Path::new("/b")));
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn only_what_a_dead_run_left_is_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let parent = Dir::open_root(tmp.path()).unwrap();
        for name in [".t.kpki-1-0", ".t.kpki-2-0", ".t.kpki-notes", ".u.kpki-1-0"] {
            std::fs::create_dir_all(tmp.path().join(name).join("sub")).unwrap();
            std::fs::write(tmp.path().join(name).join("sub/key"), "k").unwrap();
        }
        let alive = parent.child(".t.kpki-2-0").unwrap().unwrap();
        rustix::fs::flock(&alive, FlockOperation::LockExclusive).unwrap();
        stale_siblings(&parent, OsStr::new("t")).unwrap();
        let mut left: Vec<_> = parent.list().unwrap().into_iter().map(|entry| entry.name).collect();
        left.sort();
        assert_eq!(left, [".t.kpki-2-0", ".t.kpki-notes", ".u.kpki-1-0"]);
    }
}
