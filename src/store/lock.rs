//! The lock of a tree: `.kpki/lock`, held with flock(2), which ends with the process however that ends.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::files::{Dir, Facts, FileError, FileState, Kind, Op, RelPath};
use crate::signals::{self, Held};

use super::error::StoreError;
use super::roots::{KPKI, KPKI_MODE};
use super::trust;

const LOCK: &str = "lock";
const POLL: Duration = Duration::from_millis(50);
/// How often another process may remove and make the directory or the lock before that is an error.
const RACES: u32 = 100;

/// The lock, held. A verb that reads a tree, decides and publishes holds it from the first to the last.
#[derive(Debug)]
pub struct TreeLock {
    pub(super) main: Arc<Dir>,
    pub(super) kpki: Arc<Dir>,
    /// This run made `.kpki`, and removes it unless something was published.
    pub(super) made: bool,
    pub(super) used: Cell<bool>,
    /// Closing it is what releases the lock.
    lock: OwnedFd,
    /// The last to go: a signal ends the run when the lock is released and what was made for it is removed.
    _held: Held,
}

impl TreeLock {
    /// Takes the lock of the tree in `main`, which must exist, waiting at most this long.
    pub fn take(main: &Path, wait: Duration) -> Result<Self, StoreError> {
        let mut polls = wait.as_millis() / POLL.as_millis();
        let mut races = RACES;
        let mut made = false;
        let held = signals::hold();
        loop {
            let dir = Dir::open_root(main)?;
            match attempt(&dir, &mut made) {
                Ok(Attempt::Held(kpki, lock)) => {
                    let (main, kpki) = (Arc::new(dir), Arc::new(kpki));
                    return Ok(Self { main, kpki, made, used: Cell::new(false), lock, _held: held });
                }
                Ok(Attempt::Busy) if polls == 0 => {
                    return Err(StoreError::Locked { path: dir.path_of(KPKI).join(LOCK), holder: holder(&dir) });
                }
                Ok(Attempt::Busy) => {
                    signals::check()?;
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

    #[cfg(test)]
    pub(super) fn descriptors(&self) -> [std::os::fd::BorrowedFd<'_>; 3] {
        use std::os::fd::AsFd as _;
        [self.main.as_fd(), self.kpki.as_fd(), self.lock.as_fd()]
    }

    /// The last check before the commit mark: a run that failed to get the lock may have removed its file, and then another
    /// run may hold a lock of the same name.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match named(&self.kpki, &self.lock)? {
            Some(_) => Ok(()),
            None => Err(StoreError::ChangedMeanwhile(self.kpki.path_of(LOCK))),
        }
    }
}

enum Attempt {
    Held(Dir, OwnedFd),
    Busy,
    /// Another process removed it in between.
    Gone,
}

fn attempt(main: &Dir, made: &mut bool) -> Result<Attempt, StoreError> {
    let kpki = match trust::own(main)? {
        Some(kpki) => kpki,
        None => {
            trust::check_place(main.path())?;
            match main.make(KPKI, KPKI_MODE) {
                Ok(kpki) => {
                    *made = true;
                    kpki
                }
                // Another run made it, or replaced an empty directory by a whole tree.
                Err(error) if matches!(error.kind, Kind::Exists | Kind::Missing) => return Ok(Attempt::Gone),
                Err(error) => return Err(error.into()),
            }
        }
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
    // A run that undid its work removed the file before it released the lock: then this lock is on a file without a name.
    let Some(ours) = named(&kpki, &lock)? else { return Ok(Attempt::Gone) };
    if ours.mode != 0o600 {
        rustix::fs::fchmod(&lock, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    }
    // Only for the message of a run that waits in vain, so a full disk is no error here. Always of one length, so that the
    // file need not be truncated, which frees a block and can take milliseconds.
    let pid = format!("{:<10}", std::process::id());
    let _ = rustix::io::pwrite(&lock, pid.as_bytes(), 0);
    Ok(Attempt::Held(kpki, lock))
}

/// The facts of the open lock file; `None`: its name was removed or is another file's.
fn named(kpki: &Dir, lock: &OwnedFd) -> Result<Option<Facts>, FileError> {
    let ours = Facts::of_open(lock).map_err(|errno| FileError::of(Op::Lock, &kpki.path_of(LOCK), errno))?;
    let named = kpki.facts(LOCK)?;
    Ok(named.filter(|named| (named.inode, named.device) == (ours.inode, ours.device)))
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
