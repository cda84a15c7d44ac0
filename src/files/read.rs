//! Bounded reads of regular files.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::dir::Dir;
use super::error::{FileError, Kind, Op};
use super::facts::What;
use super::path::RelPath;
use super::text::utf16;

/// A missing file is a result; everything else that prevents reading is an error.
#[derive(Clone, PartialEq, Eq)]
pub enum FileState {
    Missing,
    File { bytes: Zeroizing<Vec<u8>>, mode: u32, uid: u32, gid: u32 },
}

/// The content may be a key.
impl std::fmt::Debug for FileState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("Missing"),
            Self::File { bytes, mode, .. } => write!(f, "File({} bytes, mode {mode:04o})", bytes.len()),
        }
    }
}

// Without NONBLOCK, opening a named pipe waits for its writer; NOCTTY keeps a terminal from becoming ours.
pub(super) const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Reads a regular file of at most `max` bytes below a directory, through no symlink.
pub fn read(dir: &Dir, path: &RelPath, max: u64) -> Result<FileState, FileError> {
    let below = match path.parent() {
        Some(parent) => match dir.descend(&parent)? {
            Some(below) => Some(below),
            None => return Ok(FileState::Missing),
        },
        None => None,
    };
    let (dir, name) = (below.as_ref().unwrap_or(dir), path.file_name());
    open_and_read(dir.as_fd(), Path::new(name), READ | OFlags::NOFOLLOW, &dir.path_of(name), max)
}

/// Reads a regular file a person named, of at most `max` bytes; symlinks are their choice. Text in UTF-16 is an error.
pub fn read_input(path: &Path, max: u64) -> Result<FileState, FileError> {
    let found = open_and_read(CWD, path, READ, path, max)?;
    match &found {
        FileState::File { bytes, .. } => no_utf16(bytes, path).map(|()| found),
        FileState::Missing => Ok(found),
    }
}

fn no_utf16(bytes: &[u8], path: &Path) -> Result<(), FileError> {
    utf16(bytes).map_or(Ok(()), |encoding| Err(FileError::new(Op::Read, path, Kind::Utf16(encoding))))
}

fn open_and_read(
    at: BorrowedFd<'_>,
    name: &Path,
    flags: OFlags,
    path: &Path,
    max: u64,
) -> Result<FileState, FileError> {
    match rustix::fs::openat(at, name, flags, Mode::empty()) {
        Ok(fd) => read_open(fd, path, max),
        Err(Errno::NOENT) => Ok(FileState::Missing),
        Err(errno) => Err(FileError::new(Op::Read, path, unopened(errno))),
    }
}

/// A socket and a device without a driver refuse to be opened at all.
pub(super) fn unopened(errno: Errno) -> Kind {
    match errno {
        Errno::NXIO => Kind::NotAFile(What::Socket),
        other => other.into(),
    }
}

/// Everything that an open stream gives, such as standard input; at most `max` bytes. `path`: its name in an error. Not
/// through a buffer of the standard library, which would keep a copy of a key.
pub fn read_stream(fd: impl AsFd, path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let bytes = fill(fd, path, 0, max)?;
    no_utf16(&bytes, path).map(|()| bytes)
}

/// Standard input to its end, which is read once.
pub fn read_stdin(max: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    read_stream(std::io::stdin(), "standard input".as_ref(), max)
}

fn read_open(fd: impl AsFd, path: &Path, max: u64) -> Result<FileState, FileError> {
    let failed = |errno| FileError::of(Op::Read, path, errno);
    let refused = |kind| Err(FileError::new(Op::Read, path, kind));
    let stat = rustix::fs::fstat(&fd).map_err(failed)?;
    match What::from(FileType::from_raw_mode(stat.st_mode)) {
        What::File => {}
        what => return refused(Kind::NotAFile(what)),
    }
    let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
    if size > max {
        return refused(Kind::TooLarge(max));
    }
    let bytes = fill(fd, path, size, max)?;
    Ok(FileState::File { bytes, mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid })
}

/// Reads to the end. `size`: what is expected.
fn fill(fd: impl AsFd, path: &Path, size: u64, max: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |errno| FileError::of(Op::Read, path, errno);
    // One byte more than the file has, so that its end is seen without growing; never more than one byte past the bound,
    // however much the file grows under the read (and /proc files claim to be empty).
    let limit = usize::try_from(max.saturating_add(1)).unwrap_or(usize::MAX);
    let room = usize::try_from(size.saturating_add(1)).unwrap_or(usize::MAX).min(limit);
    let mut bytes = Zeroizing::new(vec![0u8; room]);
    let mut filled = 0;
    loop {
        if filled == bytes.len() {
            if filled >= limit {
                return Err(FileError::new(Op::Read, path, Kind::TooLarge(max)));
            }
            // A new buffer rather than a longer one: growing in place may leave a copy of a key behind.
            let mut larger = Zeroizing::new(vec![0u8; (filled.saturating_mul(2)).max(4096).min(limit)]);
            if let Some(start) = larger.get_mut(..filled) {
                start.copy_from_slice(&bytes);
            }
            bytes = larger;
        }
        let Some(rest) = bytes.get_mut(filled..) else { break };
        match rustix::io::retry_on_intr(|| rustix::io::read(&fd, &mut *rest)).map_err(failed)? {
            0 => break,
            n => filled += n,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
