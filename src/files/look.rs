//! Regular files, opened to be read piece by piece into the caller's buffer. Symlinks are followed.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode};
use rustix::io::Errno;

use super::dir::Dir;
use super::error::Kind;
use super::facts::What;
use super::read::{READ, unopened};
use super::text::utf16;

/// An open regular file.
#[derive(Debug)]
pub struct Source {
    fd: OwnedFd,
    size: u64,
}

impl Source {
    /// As the file system says; a file may grow, and /proc claims to be empty.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// The next bytes; 0 at the end.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, Kind> {
        rustix::io::retry_on_intr(|| rustix::io::read(&self.fd, &mut *buffer)).map_err(Kind::from)
    }

    /// Fills the buffer from `filled` on as far as the file goes; how far it is filled then. Text in UTF-16 is an error.
    pub fn fill(&self, buffer: &mut [u8], mut filled: usize) -> Result<usize, Kind> {
        let is_start = filled == 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read(rest)? {
                0 => break,
                n => filled = filled.saturating_add(n),
            }
            // All there was when it was opened: the next read would only find the end.
            if u64::try_from(filled).is_ok_and(|filled| filled == self.size) {
                break;
            }
        }
        if let Some(encoding) = utf16(buffer.get(..filled).unwrap_or_default()).filter(|_| is_start) {
            return Err(Kind::Utf16(encoding));
        }
        Ok(filled)
    }
}

/// Opens a path, from the current directory where it is relative; `None`: there is nothing.
pub fn look(path: &Path) -> Result<Option<Source>, Kind> {
    open(CWD, path)
}

/// Opens a path below a directory, or an absolute one.
pub fn look_below(dir: &Dir, path: &Path) -> Result<Option<Source>, Kind> {
    open(dir, path)
}

fn open(at: impl AsFd, path: &Path) -> Result<Option<Source>, Kind> {
    let fd = match rustix::fs::openat(at, path, READ, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        // A circle of symlinks; one symlink is no error here.
        Err(Errno::LOOP) => return Err(Kind::Io(Errno::LOOP)),
        Err(errno) => return Err(unopened(errno)),
    };
    let stat = rustix::fs::fstat(&fd)?;
    match What::from(FileType::from_raw_mode(stat.st_mode)) {
        What::File => Ok(Some(Source { fd, size: u64::try_from(stat.st_size).unwrap_or(u64::MAX) })),
        what => Err(Kind::NotAFile(what)),
    }
}

/// What a path leads to, without opening it; `None`: nothing, or nowhere. A name that may not be looked at counts as a file.
pub fn what(dir: Option<&Dir>, path: &Path) -> Option<What> {
    match rustix::fs::statat(dir.map_or(CWD, Dir::as_fd), path, AtFlags::empty()) {
        Ok(stat) => Some(FileType::from_raw_mode(stat.st_mode).into()),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => None,
        Err(_) => Some(What::Unknown),
    }
}

/// Who owns what a path leads to.
pub fn owner(path: &Path) -> Option<u32> {
    rustix::fs::stat(path).ok().map(|stat| stat.st_uid)
}

/// When what a path leads to was last put in place or changed, in seconds since 1970: its ctime, which no archive and no
/// program sets. `None`: there is nothing, or it cannot be known.
pub fn changed(path: &Path) -> Option<i64> {
    rustix::fs::stat(path).ok().map(|stat| stat.st_ctime)
}

/// A path without symlinks, as far as it exists.
pub fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut above = absolute.ancestors().filter_map(|above| {
        let (real, rest) = (std::fs::canonicalize(above).ok()?, absolute.strip_prefix(above).ok()?);
        Some(rest.components().fold(real, |real, part| real.join(part)))
    });
    above.next().unwrap_or_else(|| absolute.clone())
}

/// What a symlink says; `None`: it is none.
pub fn link(path: &Path) -> Option<PathBuf> {
    let target = rustix::fs::readlinkat(CWD, path, Vec::new()).ok()?;
    Some(OsString::from_vec(target.into_bytes()).into())
}

/// Whether a path leads to a regular file that somebody may execute.
pub fn is_executable(path: &Path) -> bool {
    rustix::fs::stat(path)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_mode & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    #[allow(clippy::disallowed_methods)] // a test lays out its files by hand
    fn only_regular_files_are_opened() {
        let tmp = tempfile::tempdir().unwrap();
        let at = |name: &str| tmp.path().join(name);
        std::fs::write(at("f"), b"hello").unwrap();
        symlink("f", at("link")).unwrap();
        symlink("loop", at("loop")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        rustix::fs::mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR, 0).unwrap();
        let dir = Dir::open_root(tmp.path()).unwrap();
        for name in ["f", "link"] {
            let source = look_below(&dir, Path::new(name)).unwrap().unwrap();
            let mut buffer = [0; 8];
            assert_eq!((source.size(), source.fill(&mut buffer, 0)), (5, Ok(5)));
            assert_eq!(&buffer[..5], b"hello");
            assert_eq!(what(Some(&dir), Path::new(name)), Some(What::File));
        }
        assert_eq!((link(&at("link")), link(&at("f"))), (Some("f".into()), None));
        for name in ["nothing", "f/g", "dangling"] {
            assert!(look(&at(name)).unwrap().is_none(), "{name}");
            assert_eq!(what(None, &at(name)), None, "{name}");
        }
        assert_eq!(look(&at("fifo")).unwrap_err(), Kind::NotAFile(What::Fifo));
        assert_eq!(look(tmp.path()).unwrap_err(), Kind::NotAFile(What::Directory));
        assert_eq!(look(&at("loop")).unwrap_err(), Kind::Io(Errno::LOOP));
        assert_eq!(look(Path::new("/dev/zero")).unwrap_err(), Kind::NotAFile(What::Device));
    }
}
