//! A new file beside its place, under a hidden name: written and synced there, then put in place by one rename.
//!
//! Its writer holds a lock on it, which ends with the process however that ends. So a leftover can be told from a file that
//! a living run is about to put in place, in another container too, and the next run that writes to the directory removes it.

use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, Kind, Op, Permissions, What, Written};
use crate::random::random;

use super::error::StoreError;

/// How often a name may be taken, or the new file be taken for a leftover before it is locked.
const TRIES: u32 = 16;
/// Longest part of the file's own name in the hidden one: 255 bytes are all a name may have.
const STEM: usize = 200;
const INFIX: &str = ".kpki-";
const DIGITS: usize = 16;

/// Removed when it is dropped, unless it was put in place.
#[derive(Debug)]
pub(super) struct Beside {
    dir: Dir,
    name: String,
    hidden: String,
    /// The new file. The lock is on it.
    written: Written,
    mode: u32,
    placed: bool,
}

impl Beside {
    /// Writes and syncs the file, and removes what dead runs have left in the directory.
    pub fn prepare(dir: Dir, name: &str, mode: u32, bytes: &[u8]) -> Result<Self, StoreError> {
        remove_leftovers(&dir);
        let place = dir.path_of(name);
        // Messages name the file that was asked for.
        let named = |error: FileError| FileError { path: place.clone(), ..error };
        let (hidden, written) = create(&dir, name, mode, bytes).map_err(|error| match error {
            StoreError::File(error) => named(error).into(),
            other => other,
        })?;
        let beside = Self { dir, name: name.to_owned(), hidden, written, mode, placed: false };
        beside.written.sync().map_err(named)?;
        Ok(beside)
    }

    /// Puts it in place with this mode. Without `replace`, [`Kind::Exists`] if the name is taken.
    pub fn put(mut self, mode: u32, replace: bool) -> Result<(), StoreError> {
        if mode != self.mode {
            let failed = |errno| FileError::of(Op::SetMode, &self.dir.path_of(&self.name), errno);
            rustix::fs::fchmod(&self.written.fd, Mode::from_raw_mode(mode)).map_err(failed)?;
            self.written.sync()?;
        }
        match replace {
            true => self.dir.rename(&self.hidden, &self.dir, &self.name),
            false => self.dir.rename_new(&self.hidden, &self.dir, &self.name),
        }?;
        self.placed = true;
        self.dir.sync().map_err(StoreError::Unsynced)
    }

    /// Whether the name in the directory is taken.
    pub fn is_taken(&self) -> Result<bool, FileError> {
        Ok(self.dir.facts(&self.name)?.is_some())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.placed {
            let _ = self.dir.remove_file(&self.hidden);
        }
    }
}

/// A name that no other process uses, whatever its number: containers have numbers of their own. Without an extension that a
/// collector of reports would read.
fn hidden(name: &str, number: u64) -> String {
    let end = (0..=STEM.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    format!(".{}{INFIX}{number:016x}", name.get(..end).unwrap_or_default())
}

/// Whether a name is of this form, or of that of kpki 0.1.0: `.NAME.kpki-PID-N`.
fn is_hidden(name: &str) -> bool {
    let Some((_, number)) = name.strip_prefix('.').and_then(|name| name.rsplit_once(INFIX)) else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let of_old = number.split_once('-').is_some_and(|(process, n)| is_number(process) && is_number(n));
    of_old || (number.len() == DIGITS && number.bytes().all(is_hex))
}

/// Makes the file and locks it.
fn create(dir: &Dir, name: &str, mode: u32, bytes: &[u8]) -> Result<(String, Written), StoreError> {
    for _ in 0..TRIES {
        let hidden = hidden(name, u64::from_ne_bytes(random()?));
        let made = match dir.write_new(&hidden, Permissions { mode, owner: None }, bytes) {
            Err(error) if error.kind == Kind::Exists => continue,
            Ok(written) => claim(dir, &hidden, &written).map(|is_ours| is_ours.then_some(written)),
            Err(error) => Err(error),
        };
        match made {
            Ok(Some(written)) => return Ok((hidden, written)),
            // The run that took it for a leftover removes it.
            Ok(None) => {}
            Err(error) => {
                // The first error is the one to report.
                let _ = dir.remove_file(&hidden);
                return Err(error.into());
            }
        }
    }
    Err(FileError::new(Op::Create, &dir.path_of(name), Kind::Exists).into())
}

/// Locks the new file. `false`: between making and locking, another run has taken it for a leftover.
fn claim(dir: &Dir, hidden: &str, written: &Written) -> Result<bool, FileError> {
    // Any other error is fine: on a file system without locks no run can take it for a leftover either.
    if rustix::fs::flock(&written.fd, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Ok(false);
    }
    let ours = Facts::of_open(&written.fd).map_err(|errno| FileError::of(Op::Inspect, &written.path, errno))?;
    Ok(dir.facts(hidden)?.is_some_and(|named| (named.inode, named.device) == (ours.inode, ours.device)))
}

/// Removes regular files of this user and of our form of name that nobody holds. What cannot be looked at is left: it is in
/// nobody's way.
fn remove_leftovers(dir: &Dir) {
    let Ok(entries) = dir.list() else { return };
    for entry in entries {
        if let Some(name) = entry.name.to_str().filter(|name| is_hidden(name))
            && matches!(entry.what, What::File | What::Unknown)
            && let Some(lock) = left(dir, name)
        {
            let _ = dir.remove_file(name);
            // Held until it is gone: in between its writer could have locked it.
            drop(lock);
        }
    }
}

/// The file, locked, if nobody holds it.
fn left(dir: &Dir, name: &str) -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::openat(dir, name, flags, Mode::empty()).ok()?;
    let us = rustix::process::geteuid().as_raw();
    let is_ours = |facts: &Facts| facts.what == What::File && facts.uid == us;
    let is_left = Facts::of_open(&file).is_ok_and(|facts| is_ours(&facts))
        && rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    is_left.then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_names_are_recognised_and_fit() {
        for name in ["a", "web.crt", &"n".repeat(255), &"ü".repeat(127)] {
            let (one, two) = (hidden(name, 0), hidden(name, u64::MAX));
            assert!(is_hidden(&one) && one.len() <= 255, "{one}");
            assert_ne!(one, two);
        }
        for (name, ours) in [
            (".web.crt.kpki-4-0", true),
            (".web.crt.kpki-0123456789abcdef", true),
            (".web.crt.kpki-0123456789abcdeF", false),
            (".web.crt.kpki-0123456789abcde", false),
            (".web.crt.kpki-4", false),
            (".web.crt.kpki-4-", false),
            (".web.crt.kpki-4-0-1", false),
            (".web.crt.kpki-notes", false),
            ("web.crt.kpki-4-0", false),
            (".kpki", false),
        ] {
            assert_eq!(is_hidden(name), ours, "{name}");
        }
    }

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn leftovers_of_dead_runs_are_removed_and_nothing_else() {
        let tmp = tempfile::tempdir().unwrap();
        let path = |name: &str| tmp.path().join(name);
        let names = || {
            let mut names: Vec<_> =
                std::fs::read_dir(tmp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let open = || Dir::open_root(tmp.path()).unwrap();
        let (living, dead) = (".a.kpki-0000000000000001", ".b.kpki-0000000000000002");
        for name in [living, dead, ".a.kpki-4-0", ".a.kpki-mine", "other"] {
            std::fs::write(path(name), "key").unwrap();
        }
        std::fs::create_dir(path(".d.kpki-0000000000000003")).unwrap();
        std::os::unix::fs::symlink("other", path(".l.kpki-0000000000000004")).unwrap();
        let held = std::fs::File::open(path(living)).unwrap();
        rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
        let kept = [living, ".a.kpki-mine", ".d.kpki-0000000000000003", ".l.kpki-0000000000000004"];

        let beside = Beside::prepare(open(), "a", 0o600, b"new").unwrap();
        assert!(!beside.is_taken().unwrap());
        // It is held: another run that writes there leaves it alone.
        Beside::prepare(open(), "c", 0o600, b"c").unwrap().put(0o644, false).unwrap();
        beside.put(0o600, false).unwrap();
        let mut expected: Vec<_> = kept.into_iter().chain(["a", "c", "other"]).map(std::ffi::OsString::from).collect();
        expected.sort();
        assert_eq!(names(), expected);

        // What is not put in place is gone, also when the name is taken.
        drop(Beside::prepare(open(), "e", 0o600, b"e").unwrap());
        let taken = Beside::prepare(open(), "a", 0o600, b"late").unwrap().put(0o600, false).unwrap_err();
        assert!(matches!(taken, StoreError::File(error) if error.kind == Kind::Exists));
        assert_eq!(names(), expected);
        assert_eq!(std::fs::read_to_string(path("a")).unwrap(), "new");
    }
}
