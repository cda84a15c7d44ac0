//! What a pipe gives: of a shell's `<(command)`, or a named one.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::error::{FileError, Kind, Op};
use super::facts::What;
use super::look::what;
use super::read::{READ, unopened};

/// Everything that is written to it, of at most `max` bytes, until its last writer is gone; `None`: it is no pipe. It can be read
/// once.
pub fn read_pipe(path: &Path, max: usize, wait: Duration) -> Result<Option<Zeroizing<Vec<u8>>>, FileError> {
    if what(None, path) != Some(What::Fifo) {
        return Ok(None);
    }
    let refused = |kind| FileError::new(Op::Read, path, kind);
    let failed = |errno| FileError::of(Op::Read, path, errno);
    let fd = rustix::fs::openat(CWD, path, READ, Mode::empty()).map_err(|errno| refused(unopened(errno)))?;
    let found = What::from(FileType::from_raw_mode(rustix::fs::fstat(&fd).map_err(failed)?.st_mode));
    if found != What::Fifo {
        return Err(refused(Kind::NotAFile(found)));
    }
    let begun = Instant::now();
    // Of full length from the start, so that no copy is left behind by growing.
    let mut bytes = Zeroizing::new(vec![0u8; max.saturating_add(1)]);
    let mut filled = 0;
    loop {
        let left = wait.saturating_sub(begun.elapsed());
        let time = Timespec::try_from(left).map_err(|_| refused(Kind::Late))?;
        // Before its first writer there is nothing to read and no end.
        match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&time)) {
            Ok(0) => return Err(refused(Kind::Late)),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(failed(errno)),
        }
        let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) else {
            return Err(refused(Kind::TooLarge(u64::try_from(max).unwrap_or(u64::MAX))));
        };
        match rustix::io::read(&fd, &mut *rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(failed(errno)),
        }
    }
    bytes.truncate(filled);
    Ok(Some(bytes))
}

#[cfg(test)]
#[path = "pipe_tests.rs"]
mod tests;
