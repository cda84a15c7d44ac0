//! New files: exclusive, with their final mode before the first byte, synced.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{Gid, Mode, OFlags, Uid};

use super::dir::Dir;
use super::error::{FileError, Kind, Op};
use super::facts::Facts;
use super::path::RelPath;
use super::read::{FileState, read};

/// Of a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permissions {
    pub mode: u32,
    /// Owner and group to give it; `None`: those of this process.
    pub owner: Option<(u32, u32)>,
}

/// A file that is written and not yet synced.
#[derive(Debug)]
pub(crate) struct Written {
    pub fd: OwnedFd,
    /// For messages.
    pub path: PathBuf,
}

impl Written {
    /// Makes content and size durable; the name is its directory's.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        #[cfg(test)]
        super::synced::note(&self.path);
        rustix::io::retry_on_intr(|| rustix::fs::fsync(&self.fd)).map_err(|e| FileError::of(Op::Sync, &self.path, e))
    }
}

impl Dir {
    /// Makes a new file and syncs it. On an error it may be left behind, incomplete: in a staging directory, which is
    /// removed as a whole.
    pub(crate) fn create(&self, name: &str, permissions: Permissions, bytes: &[u8]) -> Result<(), FileError> {
        self.write_new(name, permissions, bytes)?.sync()
    }

    /// The same, the caller syncs: syncs that wait together share one commit of the file system's journal.
    pub(crate) fn write_new(&self, name: &str, permissions: Permissions, bytes: &[u8]) -> Result<Written, FileError> {
        let path = self.path_of(name);
        let failed = |op| {
            let path = path.clone();
            move |errno| FileError::of(op, &path, errno)
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(self, name, flags, Mode::RUSR | Mode::WUSR).map_err(failed(Op::Create))?;
        // The owner first: changing it clears bits of the mode.
        if let Some((uid, gid)) = permissions.owner {
            rustix::fs::fchown(&fd, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
                .map_err(failed(Op::SetOwner))?;
        }
        // Always: the umask may have taken bits away, and a public file has more than the 0600 it was made with.
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(permissions.mode)).map_err(failed(Op::SetMode))?;
        write_all(&fd, bytes).map_err(failed(Op::Write))?;
        // Only a hint: the disk begins to write now, and the syncs that come later wait for all files at once.
        let _ = rustix::fs::fadvise(&fd, 0, None, rustix::fs::Advice::DontNeed);
        Ok(Written { fd, path })
    }

    /// Copies a regular file into another directory with its mode and owner, synced: where a hard link is not possible.
    pub(crate) fn copy(&self, name: &str, facts: &Facts, to: &Self, new: &str) -> Result<(), FileError> {
        let missing = || FileError::new(Op::Link, &self.path_of(name), Kind::Missing);
        match read(self, &RelPath::parse(name).map_err(|_| missing())?, facts.size)? {
            FileState::Missing => Err(missing()),
            FileState::File { bytes, mode, uid, gid } => {
                to.create(new, Permissions { mode: mode & 0o777, owner: Some((uid, gid)) }, &bytes)
            }
        }
    }
}

pub(crate) fn write_all(fd: &OwnedFd, mut bytes: &[u8]) -> Result<(), rustix::io::Errno> {
    while !bytes.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(fd, bytes))?;
        if written == 0 {
            return Err(rustix::io::Errno::IO);
        }
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
