//! What went wrong with which path during what.

use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::facts::What;

/// An I/O error with its path and operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {} {path}: {kind}", .op.verb())]
pub struct FileError {
    pub op: Op,
    pub path: PathBuf,
    #[source]
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Kind {
    #[error("no such file or directory")]
    Missing,
    #[error("it exists already")]
    Exists,
    /// The path of the error is the symlink's.
    #[error("it is a symlink, which is not followed here")]
    SymlinkInTheWay,
    /// A regular file was wanted.
    #[error("it is {0}, not a regular file")]
    NotAFile(What),
    /// A directory was wanted.
    #[error("it is {0}, not a directory")]
    NotADirectory(What),
    /// More than this many bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// A pipe whose end does not come.
    #[error("what writes to it did not end in time")]
    Late,
    /// Text, and not in UTF-8; as iconv calls it.
    #[error("it is text in UTF-16, as Windows PowerShell writes it; make UTF-8 of it: iconv -f {0} -t UTF-8")]
    Utf16(&'static str),
    /// Nobody may change it (`chattr +i` or `+a`).
    #[error("it is marked immutable or append-only (lsattr shows it)")]
    Immutable,
    #[error("permission denied")]
    PermissionDenied,
    #[error("the file system is read-only")]
    ReadOnlyFilesystem,
    #[error("no space left on the file system")]
    NoSpace,
    #[error("{}", lower(&std::io::Error::from(*.0).to_string()))]
    Io(#[source] Errno),
}

impl Kind {
    /// The machine is in trouble, which says nothing about the file. Other errors, such as a name that is too long, are its own.
    pub const fn is_the_machines(&self) -> bool {
        matches!(self, Self::NoSpace | Self::Io(Errno::IO | Errno::MFILE | Errno::NFILE | Errno::NOMEM))
    }

    /// There is no such file, or, in /proc, no such process any more.
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Missing | Self::Io(Errno::SRCH))
    }
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

/// The system's text begins with a capital letter; ours do not.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_operation_path_and_reason() {
        let error = FileError::of(Op::Sync, Path::new("/x/y"), Errno::IO);
        assert_eq!(error.to_string(), "cannot sync /x/y: input/output error (os error 5)");
        let system = std::error::Error::source(&error).and_then(std::error::Error::source);
        assert_eq!(system.unwrap().to_string(), "Input/output error (os error 5)");
        let error = FileError::of(Op::Write, Path::new("/x"), Errno::NOSPC);
        assert!(std::error::Error::source(&error.kind).is_none());
        assert_eq!(error.to_string(), "cannot write /x: no space left on the file system");
    }

    #[test]
    fn the_machines_trouble_is_not_the_files() {
        for (errno, expected) in [
            (Errno::NOSPC, true),
            (Errno::DQUOT, true),
            (Errno::IO, true),
            (Errno::MFILE, true),
            (Errno::NAMETOOLONG, false),
            (Errno::LOOP, false),
            (Errno::ACCESS, false),
            (Errno::NOENT, false),
        ] {
            assert_eq!(Kind::from(errno).is_the_machines(), expected, "{errno}");
        }
    }
}
