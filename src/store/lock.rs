//! The lock of a tree: `.kpki/lock`, held with flock(2), which ends with the process however that ends.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, FileState, Kind, Op, RelPath};

use super::Roots;
use super::created_dirs::or_here;
use super::error::StoreError;
use super::recover::{self, Recovery};
use super::trust;

pub(super) const KPKI: &str = ".kpki";
pub(super) const KPKI_MODE: u32 = 0o700;
const LOCK: &str = "lock";
const POLL: Duration = Duration::from_millis(50);
/// How often the place may be removed and made again under our hands before that is an error.
const RACES: u32 = 100;

/// The lock, held. A verb that reads a tree, decides and publishes holds it all the while.
#[derive(Debug)]
pub struct TreeLock {
    pub(super) main: Dir,
    pub(super) kpki: Dir,
    /// `.kpki` is this run's and goes again unless something was published.
    pub(super) made: bool,
    pub(super) used: Cell<bool>,
    /// Closing it is what releases the lock.
    lock: OwnedFd,
}

impl TreeLock {
    /// Takes the lock of the tree in `main`, which must exist, waiting at most this long.
    pub fn take(main: &Path, wait: Duration) -> Result<Self, StoreError> {
        let mut polls = wait.as_millis() / POLL.as_millis();
        let mut races = RACES;
        let mut made = false;
        loop {
            let dir = Dir::open_root(main)?;
            match attempt(&dir, &mut made) {
                Ok(Attempt::Held(kpki, lock)) => {
                    return Ok(Self { main: dir, kpki, made, used: Cell::new(false), lock });
                }
                Ok(Attempt::Busy) if polls == 0 => {
                    return Err(StoreError::Locked { path: dir.path_of(KPKI).join(LOCK), holder: holder(&dir) });
                }
                Ok(Attempt::Busy) => {
                    polls -= 1;
                    std::thread::sleep(POLL);
                }
                Ok(Attempt::Gone) if races > 0 => races -= 1,
                Ok(Attempt::Gone) => {
                    return Err(FileError::new(Op::Lock, &dir.path_of(KPKI), Kind::Missing).into());
                }
                Err(error) => {
                    if made {
                        discard(&dir);
                    }
                    return Err(error);
                }
            }
        }
    }
}

impl TreeLock {
    /// Takes the lock and finishes or removes what an interrupted run left, so that the caller sees a whole tree and
    /// nobody changes it until the lock is let go.
    pub fn acquire_and_recover(roots: &Roots, wait: Duration) -> Result<(Self, Recovery), StoreError> {
        let hold = Self::take(or_here(&roots.main), wait)?;
        let recovery = recover::under(&hold, roots)?;
        Ok((hold, recovery))
    }

    #[cfg(test)]
    pub(super) fn descriptors(&self) -> [std::os::fd::BorrowedFd<'_>; 3] {
        use std::os::fd::AsFd as _;
        [self.main.as_fd(), self.kpki.as_fd(), self.lock.as_fd()]
    }

    /// The last look before the decision: a run whose own attempt to lock failed may have removed the file, and then
    /// another may hold a lock of the same name.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let path = self.kpki.path_of(LOCK);
        let ours = Facts::of_open(&self.lock).map_err(|errno| FileError::of(Op::Lock, &path, errno))?;
        if is_named(&self.kpki, &ours)? { Ok(()) } else { Err(StoreError::ChangedMeanwhile(path)) }
    }
}

enum Attempt {
    Held(Dir, OwnedFd),
    Busy,
    /// Somebody removed it between two looks.
    Gone,
}

fn attempt(main: &Dir, made: &mut bool) -> Result<Attempt, StoreError> {
    let kpki = match trust::own(main)? {
        Some(kpki) => kpki,
        None => match main.make(KPKI, KPKI_MODE) {
            Ok(kpki) => {
                *made = true;
                kpki
            }
            // Made by another run meanwhile, or the whole tree was put in place of an empty directory.
            Err(error) if matches!(error.kind, Kind::Exists | Kind::Missing) => return Ok(Attempt::Gone),
            Err(error) => return Err(error.into()),
        },
    };
    let path = kpki.path_of(LOCK);
    let failed = |errno| FileError::of(Op::Lock, &path, errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let lock = match rustix::fs::openat(&kpki, LOCK, flags, Mode::RUSR | Mode::WUSR) {
        Ok(lock) => lock,
        Err(Errno::NOENT) => return Ok(Attempt::Gone),
        Err(errno) => return Err(failed(errno).into()),
    };
    match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK | Errno::INTR) => return Ok(Attempt::Busy),
        Err(errno) => return Err(failed(errno).into()),
    }
    // A run that undid its work removed the file before it let go of the lock: then this is a lock on nothing.
    let ours = Facts::of_open(&lock).map_err(failed)?;
    if !is_named(&kpki, &ours)? {
        return Ok(Attempt::Gone);
    }
    if ours.mode != 0o600 {
        rustix::fs::fchmod(&lock, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    }
    // Only for the message of a run that waits in vain, so no reason to fail on a full disk.
    // Always of one length, so that the file need not be cut first: that frees a block, which can take milliseconds.
    let pid = format!("{:<10}", std::process::id());
    let _ = rustix::io::pwrite(&lock, pid.as_bytes(), 0);
    Ok(Attempt::Held(kpki, lock))
}

/// Whether the lock file is still the one of its name.
fn is_named(kpki: &Dir, lock: &Facts) -> Result<bool, FileError> {
    Ok(kpki.facts(LOCK)?.is_some_and(|named| (named.inode, named.device) == (lock.inode, lock.device)))
}

/// Removes `.kpki` as far as there is nothing in it but the lock.
fn discard(main: &Dir) {
    if let Ok(Some(kpki)) = main.child(KPKI)
        && kpki.list().is_ok_and(|entries| entries.iter().all(|entry| entry.name == LOCK))
    {
        let _ = kpki.remove_file(LOCK);
        let _ = main.remove_dir(KPKI);
    }
}

/// Which process says it holds the lock.
fn holder(main: &Dir) -> Option<u32> {
    let path = RelPath::parse(format!("{KPKI}/{LOCK}")).ok()?;
    match crate::files::read(main, &path, 32).ok()? {
        FileState::File { bytes, .. } => std::str::from_utf8(&bytes).ok()?.trim().parse().ok(),
        FileState::Missing => None,
    }
}

impl Drop for TreeLock {
    fn drop(&mut self) {
        if self.made && !self.used.get() {
            discard(&self.main);
        }
    }
}
