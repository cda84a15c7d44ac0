//! What the file system says about a file without opening it.

use std::fmt;

use rustix::fs::{AtFlags, FileType, StatxAttributes, StatxFlags};
use rustix::io::Errno;

/// The kind of a file, for the words "it is a ...".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    File,
    Directory,
    Symlink,
    Fifo,
    Socket,
    Device,
    Unknown,
}

impl From<FileType> for What {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Fifo,
            FileType::Socket => Self::Socket,
            FileType::CharacterDevice | FileType::BlockDevice => Self::Device,
            FileType::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Symlink => "a symlink",
            Self::Fifo => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Unknown => "something unknown",
        })
    }
}

/// The facts kpki decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    pub what: What,
    /// Permission bits, `0o7777`.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub inode: u64,
    pub device: (u32, u32),
    /// Seconds and nanoseconds of the last change of the content.
    pub modified: (i64, u32),
    /// Which mount it was reached through: a rename across mounts fails even within one device. 0 before Linux 5.8.
    pub mount: u64,
    /// A file system is mounted here. Always false before Linux 5.8.
    pub mount_point: bool,
    /// `chattr +i` or `+a`.
    pub immutable: bool,
}

impl Facts {
    /// The same file with the same content, as far as that is known without reading it.
    pub fn same(&self, other: &Self) -> bool {
        (self.inode, self.device, self.size, self.modified) == (other.inode, other.device, other.size, other.modified)
    }

    /// The facts of an open file.
    pub(crate) fn of_open(file: impl std::os::fd::AsFd) -> Result<Self, Errno> {
        Self::of(file, "")
    }

    /// The facts of `name` in a directory, never of what a symlink leads to; an empty name: of the descriptor itself.
    pub(super) fn of(dir: impl std::os::fd::AsFd, name: &str) -> Result<Self, Errno> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT | AtFlags::EMPTY_PATH;
        let mask = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID;
        match rustix::fs::statx(&dir, name, flags, mask) {
            Ok(s) => Ok(Self {
                what: FileType::from_raw_mode(u32::from(s.stx_mode)).into(),
                mode: u32::from(s.stx_mode) & 0o7777,
                uid: s.stx_uid,
                gid: s.stx_gid,
                size: s.stx_size,
                inode: s.stx_ino,
                device: (s.stx_dev_major, s.stx_dev_minor),
                modified: (s.stx_mtime.tv_sec, s.stx_mtime.tv_nsec),
                mount: s.stx_mnt_id,
                mount_point: s.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
                immutable: s.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND),
            }),
            // An old kernel, or a sandbox that does not know the call.
            Err(Errno::NOSYS) => Self::by_stat(dir, name),
            Err(errno) => Err(errno),
        }
    }

    fn by_stat(dir: impl std::os::fd::AsFd, name: &str) -> Result<Self, Errno> {
        let s = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH)?;
        Ok(Self {
            what: FileType::from_raw_mode(s.st_mode).into(),
            mode: s.st_mode & 0o7777,
            uid: s.st_uid,
            gid: s.st_gid,
            size: u64::try_from(s.st_size).unwrap_or(u64::MAX),
            inode: s.st_ino,
            device: (rustix::fs::major(s.st_dev), rustix::fs::minor(s.st_dev)),
            modified: (s.st_mtime, u32::try_from(s.st_mtime_nsec).unwrap_or(0)),
            mount: 0,
            mount_point: false,
            immutable: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_the_same_unless_place_size_or_time_changed() {
        let facts = Facts::of(rustix::fs::CWD, ".").unwrap();
        assert!(facts.same(&Facts { mode: facts.mode ^ 0o777, uid: !facts.uid, ..facts }));
        for other in [
            Facts { inode: !facts.inode, ..facts },
            Facts { device: (!facts.device.0, facts.device.1), ..facts },
            Facts { size: !facts.size, ..facts },
            Facts { modified: (facts.modified.0, facts.modified.1 ^ 1), ..facts },
        ] {
            assert!(!facts.same(&other), "{other:?}");
        }
    }

    #[test]
    fn an_old_kernel_knows_the_same_but_for_mounts_and_attributes() {
        let facts = Facts::of(rustix::fs::CWD, ".").unwrap();
        let old = Facts::by_stat(rustix::fs::CWD, ".").unwrap();
        let Facts { mount, mount_point, immutable, .. } = facts;
        assert_eq!(Facts { mount, mount_point, immutable, ..old }, facts);
        assert_eq!((old.mount, old.mount_point, old.immutable), (0, false, false));
    }
}
