//! What went wrong with which path during what.

use std::fmt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::facts::What;

/// An I/O error with its path and operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    pub op: Op,
    pub path: PathBuf,
    pub kind: Kind,
}

/// The operation, in the words of the message: `cannot read /x: ...`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Open,
    Read,
    Inspect,
    List,
    Create,
    MakeDir,
    Write,
    SetMode,
    SetOwner,
    Sync,
    Rename,
    Link,
    Remove,
    Lock,
}

impl Op {
    const fn verb(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Read => "read",
            Self::Inspect => "inspect",
            Self::List => "list",
            Self::Create => "create",
            Self::MakeDir => "create directory",
            Self::Write => "write",
            Self::SetMode => "set the mode of",
            Self::SetOwner => "set the owner of",
            Self::Sync => "sync",
            Self::Rename => "put in place",
            Self::Link => "keep a copy of",
            Self::Remove => "remove",
            Self::Lock => "lock",
        }
    }
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Missing,
    Exists,
    /// The path of the error is the symlink's.
    SymlinkInTheWay,
    /// A regular file was wanted.
    NotAFile(What),
    /// A directory was wanted.
    NotADirectory(What),
    /// More than this many bytes.
    TooLarge(u64),
    /// Nobody may change it (`chattr +i` or `+a`).
    Immutable,
    PermissionDenied,
    ReadOnlyFilesystem,
    NoSpace,
    Io(Errno),
}

impl FileError {
    pub fn new(op: Op, path: &Path, kind: Kind) -> Self {
        Self { op, path: path.to_path_buf(), kind }
    }

    pub fn of(op: Op, path: &Path, errno: Errno) -> Self {
        Self::new(op, path, Kind::from(errno))
    }
}

impl From<Errno> for Kind {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT => Self::Missing,
            Errno::EXIST => Self::Exists,
            Errno::LOOP => Self::SymlinkInTheWay,
            Errno::ACCESS | Errno::PERM => Self::PermissionDenied,
            Errno::ROFS => Self::ReadOnlyFilesystem,
            Errno::NOSPC | Errno::DQUOT => Self::NoSpace,
            Errno::ISDIR => Self::NotAFile(What::Directory),
            Errno::NOTDIR => Self::NotADirectory(What::File),
            other => Self::Io(other),
        }
    }
}

impl From<&std::io::Error> for Kind {
    /// Without a number of the system's: an input/output error.
    fn from(error: &std::io::Error) -> Self {
        error.raw_os_error().map_or(Self::Io(Errno::IO), |raw| Errno::from_raw_os_error(raw).into())
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.op.verb(), self.path.display(), self.kind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no such file or directory"),
            Self::Exists => f.write_str("it exists already"),
            Self::SymlinkInTheWay => f.write_str("it is a symlink, which is not followed here"),
            Self::NotAFile(what) => write!(f, "it is {what}, not a regular file"),
            Self::NotADirectory(what) => write!(f, "it is {what}, not a directory"),
            Self::TooLarge(max) => write!(f, "it is larger than {max} bytes"),
            Self::Immutable => f.write_str("it is marked immutable or append-only (lsattr shows it)"),
            Self::PermissionDenied => f.write_str("permission denied"),
            Self::ReadOnlyFilesystem => f.write_str("the file system is read-only"),
            Self::NoSpace => f.write_str("no space left on the file system"),
            Self::Io(errno) => f.write_str(&lower(&std::io::Error::from(*errno).to_string())),
        }
    }
}

/// The system's text begins with a capital letter; ours do not.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            Kind::Io(errno) => Some(errno),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_operation_path_and_reason() {
        let error = FileError::of(Op::Sync, Path::new("/x/y"), Errno::IO);
        assert_eq!(error.to_string(), "cannot sync /x/y: input/output error (os error 5)");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "Input/output error (os error 5)");
        let error = FileError::of(Op::Write, Path::new("/x"), Errno::NOSPC);
        assert!(std::error::Error::source(&error).is_none());
        assert_eq!(error.to_string(), "cannot write /x: no space left on the file system");
    }
}
