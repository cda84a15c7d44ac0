//! An open directory, and what can be done to the names in it.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::error::{FileError, Kind, Op};
use super::facts::{Facts, What};
use super::path::RelPath;

/// An open directory with the path it was reached by, for messages only.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: OsString,
    /// [`What::Unknown`] where the file system does not say it in a listing.
    pub what: What,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC).union(OFlags::RDONLY);

impl Dir {
    /// Opens the directory a person named: symlinks on the way and at the end are their choice.
    pub fn open_root(path: &Path) -> Result<Self, FileError> {
        Self::open(rustix::fs::CWD, path, DIRECTORY, path.to_path_buf())
    }

    /// The same; `None`: there is nothing at this path.
    pub fn open_if_exists(path: &Path) -> Result<Option<Self>, FileError> {
        if_exists(Self::open_root(path))
    }

    fn open(at: BorrowedFd<'_>, name: &Path, flags: OFlags, path: PathBuf) -> Result<Self, FileError> {
        let opened = match rustix::fs::openat(at, name, flags, Mode::empty()) {
            // A directory one may pass but not list: its files can still be reached by name.
            Err(Errno::ACCESS) => rustix::fs::openat(at, name, flags | OFlags::PATH, Mode::empty()),
            other => other,
        };
        match opened {
            Ok(fd) => Ok(Self { fd, path }),
            Err(Errno::LOOP) if !flags.contains(OFlags::NOFOLLOW) => Err(FileError::of(Op::Open, &path, Errno::LOOP)),
            Err(Errno::NOTDIR | Errno::LOOP) => Err(FileError::new(Op::Open, &path, not_a_directory(at, name))),
            Err(errno) => Err(FileError::of(Op::Open, &path, errno)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn path_of(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(Path::new(name.as_ref()))
    }

    /// Opens a directory in this one; `None`: there is none of that name. A symlink is an error.
    pub fn child(&self, name: impl AsRef<OsStr>) -> Result<Option<Self>, FileError> {
        let name = name.as_ref();
        if_exists(Self::open(self.fd.as_fd(), Path::new(name), DIRECTORY | OFlags::NOFOLLOW, self.path_of(name)))
    }

    /// Opens a directory in this one, and makes it if there is none.
    pub(crate) fn child_or_make(&self, name: &str, mode: u32) -> Result<Self, FileError> {
        match self.child(name)? {
            Some(dir) => Ok(dir),
            None => self.make(name, mode),
        }
    }

    /// Opens a directory below this one, component by component.
    pub(crate) fn descend(&self, path: &RelPath) -> Result<Option<Self>, FileError> {
        let mut found: Option<Self> = None;
        for name in path.components() {
            match found.as_ref().unwrap_or(self).child(name)? {
                Some(next) => found = Some(next),
                None => return Ok(None),
            }
        }
        Ok(found)
    }

    /// Makes a directory with exactly this mode, whatever the umask, and opens it. It must not exist.
    pub fn make(&self, name: impl AsRef<OsStr>, mode: u32) -> Result<Self, FileError> {
        let name = name.as_ref();
        let path = self.path_of(name);
        rustix::fs::mkdirat(&self.fd, name, Mode::RWXU).map_err(|e| FileError::of(Op::MakeDir, &path, e))?;
        let gone = || FileError::new(Op::MakeDir, &path, Kind::Missing);
        let opened = self.child(name).and_then(|dir| dir.ok_or_else(gone)).and_then(|dir| {
            dir.set_mode(mode)?;
            Ok(dir)
        });
        // One that is gone was somebody else's to remove, and what has its name by now is another's.
        if opened.as_ref().is_err_and(|why| why.kind != Kind::Missing) {
            // If it cannot be removed either, the first error is the one to report.
            let _ = rustix::fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR);
        }
        opened
    }

    /// The facts of a name in this directory; `None`: there is none.
    pub fn facts(&self, name: &str) -> Result<Option<Facts>, FileError> {
        match Facts::of(&self.fd, name) {
            Ok(facts) => Ok(Some(facts)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(FileError::of(Op::Inspect, &self.path_of(name), errno)),
        }
    }

    /// The facts of a regular file that can be replaced; `None`: there is no such name. Anything else is an error.
    pub(crate) fn regular_file(&self, name: &str) -> Result<Option<Facts>, FileError> {
        let facts = self.facts(name)?;
        let kind = match facts.map(|facts| (facts.what, facts.immutable)) {
            None | Some((What::File, false)) => return Ok(facts),
            Some((What::File, true)) => Kind::Immutable,
            Some((What::Symlink, _)) => Kind::SymlinkInTheWay,
            Some((what, _)) => Kind::NotAFile(what),
        };
        Err(FileError::new(Op::Write, &self.path_of(name), kind))
    }

    /// The facts of this directory itself.
    pub fn own_facts(&self) -> Result<Facts, FileError> {
        Facts::of(&self.fd, "").map_err(|e| FileError::of(Op::Inspect, &self.path, e))
    }

    /// Refuses a directory this process cannot make and remove names in. Says nothing about free space.
    pub fn check_writable(&self) -> Result<(), FileError> {
        let refused = |kind| Err(FileError::new(Op::Write, &self.path, kind));
        if self.own_facts()?.immutable {
            return refused(Kind::Immutable);
        }
        let access = Access::WRITE_OK | Access::EXEC_OK;
        match rustix::fs::accessat(&self.fd, ".", access, AtFlags::EACCESS) {
            Ok(()) => Ok(()),
            // An old kernel without faccessat2: the attempt itself will fail.
            Err(Errno::NOSYS | Errno::INVAL) => Ok(()),
            Err(errno) => refused(errno.into()),
        }
    }

    /// Every name but `.` and `..`, in the file system's order.
    pub fn list(&self) -> Result<Vec<Entry>, FileError> {
        let failed = |errno| FileError::of(Op::List, &self.path, errno);
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.fd).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(Entry { name: OsStr::from_bytes(name).to_owned(), what: entry.file_type().into() });
            }
        }
        Ok(entries)
    }

    pub(crate) fn set_mode(&self, mode: u32) -> Result<(), FileError> {
        rustix::fs::fchmod(&self.fd, Mode::from_raw_mode(mode)).map_err(|e| FileError::of(Op::SetMode, &self.path, e))
    }

    pub(crate) fn set_owner(&self, uid: u32, gid: u32) -> Result<(), FileError> {
        let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
        rustix::fs::fchown(&self.fd, Some(uid), Some(gid)).map_err(|e| FileError::of(Op::SetOwner, &self.path, e))
    }

    /// Makes the names in this directory durable.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        #[cfg(test)]
        super::synced::note(&self.path);
        match rustix::io::retry_on_intr(|| rustix::fs::fsync(&self.fd)) {
            // Some network and FUSE file systems have nothing to sync in a directory and say so.
            Ok(()) | Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
            Err(errno) => Err(FileError::of(Op::Sync, &self.path, errno)),
        }
    }

    /// Moves a name into another directory, and replaces an existing file.
    pub(crate) fn rename(&self, name: impl AsRef<OsStr>, to: &Self, new: impl AsRef<OsStr>) -> Result<(), FileError> {
        let (name, new) = (name.as_ref(), new.as_ref());
        rustix::fs::renameat(&self.fd, name, &to.fd, new).map_err(|e| FileError::of(Op::Rename, &to.path_of(new), e))
    }

    /// Moves a file into another directory unless the name is taken there ([`Kind::Exists`]).
    pub(crate) fn rename_new(&self, name: &str, to: &Self, new: &str) -> Result<(), FileError> {
        let moved = match rustix::fs::renameat_with(&self.fd, name, &to.fd, new, RenameFlags::NOREPLACE) {
            // A file system without the flag; a hard link does not replace either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                rustix::fs::linkat(&self.fd, name, &to.fd, new, AtFlags::empty())
                    .and_then(|()| rustix::fs::unlinkat(&self.fd, name, AtFlags::empty()))
            }
            other => other,
        };
        moved.map_err(|e| FileError::of(Op::Rename, &to.path_of(new), e))
    }

    /// A second name for the same file, in another directory.
    pub(crate) fn link(&self, name: &str, to: &Self, new: &str) -> Result<(), Errno> {
        rustix::fs::linkat(&self.fd, name, &to.fd, new, AtFlags::empty())
    }

    /// Removes a file; a missing one is fine.
    pub(crate) fn remove_file(&self, name: impl AsRef<OsStr>) -> Result<(), FileError> {
        self.unlink(name.as_ref(), AtFlags::empty())
    }

    /// Removes an empty directory; a missing one is fine.
    pub(crate) fn remove_dir(&self, name: impl AsRef<OsStr>) -> Result<(), FileError> {
        self.unlink(name.as_ref(), AtFlags::REMOVEDIR)
    }

    /// Removes a directory with everything in it, following nothing; a missing one is fine.
    pub(crate) fn remove_tree(&self, name: impl AsRef<OsStr>) -> Result<(), FileError> {
        let name = name.as_ref();
        let Some(dir) = self.child(name)? else { return Ok(()) };
        for entry in dir.list()? {
            match entry.what {
                What::Directory => dir.remove_tree(&entry.name)?,
                What::Unknown => dir.remove_file(&entry.name).or_else(|_| dir.remove_tree(&entry.name))?,
                _ => dir.remove_file(&entry.name)?,
            }
        }
        self.remove_dir(name)
    }

    fn unlink(&self, name: &OsStr, flags: AtFlags) -> Result<(), FileError> {
        match rustix::fs::unlinkat(&self.fd, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(FileError::of(Op::Remove, &self.path_of(name), errno)),
        }
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn if_exists(opened: Result<Dir, FileError>) -> Result<Option<Dir>, FileError> {
    match opened {
        Err(error) if error.kind == Kind::Missing => Ok(None),
        opened => opened.map(Some),
    }
}

/// Why a name that is no directory cannot be opened as one.
fn not_a_directory(at: BorrowedFd<'_>, path: &Path) -> Kind {
    match rustix::fs::statat(at, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => match What::from(rustix::fs::FileType::from_raw_mode(stat.st_mode)) {
            What::Symlink => Kind::SymlinkInTheWay,
            // It has become one since.
            What::Directory => Kind::Io(Errno::NOTDIR),
            what => Kind::NotADirectory(what),
        },
        Err(_) => Kind::Io(Errno::NOTDIR),
    }
}
