//! Why a tree could not be published, as facts.

use std::fmt;
use std::path::PathBuf;

use crate::files::{BadPath, FileError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreError {
    /// Nothing was changed.
    File(FileError),
    /// These files exist and may not be replaced. Nothing was changed.
    Exist(Vec<PathBuf>),
    /// Another process made a tree here while this run prepared one. Nothing was changed.
    MadeMeanwhile(PathBuf),
    /// Another process changed the file while this run prepared its own. Nothing was changed.
    ChangedMeanwhile(PathBuf),
    /// Another process holds the lock, for longer than this one had to wait.
    Locked { path: PathBuf, holder: Option<u32> },
    /// The directory is on another file system than the place where its files are prepared: no rename can put them in place.
    OtherFileSystem(PathBuf),
    /// Two changes exclude each other: the same path twice, or a file as the directory of another.
    Conflict(PathBuf),
    /// The path is used by the store itself.
    Reserved(PathBuf),
    /// A file belongs in the kubelet's directory, and none is given.
    NoKubeletRoot,
    /// A name that is not a plain name.
    BadPath(BadPath),
    /// The commit mark of an interrupted run cannot be read.
    BadMark { path: PathBuf, why: MarkError },
    /// `.kpki` or a file in it belongs to another user, or others can write to it. `mode`: permission bits.
    Untrusted { path: PathBuf, owner: u32, mode: u32 },
    /// There is no generation of this name.
    NoGeneration(String),
    /// The commit mark is in place; the next run finishes the work. `placed`: every file is in place or removed already.
    Unfinished { why: Box<Self>, placed: bool },
    /// An earlier run has to be finished, but the kubelet's directory, in which its files are prepared, does not exist.
    KubeletGone(FileError),
    /// The tree is in place, but the directory it is in could not be synced: it may not survive a power failure.
    Unsynced(FileError),
    /// A test ended the run here, as a crash would.
    #[cfg(test)]
    Stopped,
}

impl From<FileError> for StoreError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<BadPath> for StoreError {
    fn from(error: BadPath) -> Self {
        Self::BadPath(error)
    }
}

impl StoreError {
    /// Whether a test ended the run as a crash would.
    pub(super) const fn is_crash(&self) -> bool {
        match self {
            #[cfg(test)]
            Self::Stopped => true,
            _ => false,
        }
    }

    /// Whether what the run has made stays on disk.
    pub(super) const fn keeps_changes(&self) -> bool {
        matches!(self, Self::Unfinished { .. } | Self::Unsynced(_)) || self.is_crash()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Exist(paths) => match paths.as_slice() {
                [path] => write!(f, "{} exists already", path.display()),
                [first, rest @ ..] => write!(f, "{} and {} more files exist already", first.display(), rest.len()),
                [] => f.write_str("files exist already"),
            },
            Self::MadeMeanwhile(path) => write!(f, "{} was created by another process meanwhile", path.display()),
            Self::ChangedMeanwhile(path) => write!(f, "{} was changed by another process meanwhile", path.display()),
            Self::Locked { path, holder: Some(pid) } => write!(f, "process {pid} holds the lock {}", path.display()),
            Self::Locked { path, holder: None } => write!(f, "another process holds the lock {}", path.display()),
            Self::OtherFileSystem(path) => {
                write!(f, "{} is on another file system than the tree it belongs to", path.display())
            }
            Self::Conflict(path) => {
                write!(f, "{} would be written twice, or as a file and a directory", path.display())
            }
            Self::Reserved(path) => write!(f, "{} is reserved for kpki itself", path.display()),
            Self::NoKubeletRoot => f.write_str("no directory is known for the kubelet's files"),
            Self::BadPath(error) => error.fmt(f),
            Self::BadMark { path, why } => {
                write!(f, "the record of an interrupted run, {}, cannot be read: {why}", path.display())
            }
            Self::Untrusted { path, owner, mode } => write!(
                f,
                "{} is not trusted: expected this user or root as its owner and no write permission for others, found owner \
                 {owner} and mode {mode:04o}",
                path.display()
            ),
            Self::NoGeneration(name) => write!(f, "there is no generation {name:?}"),
            Self::Unfinished { why, placed: false } => {
                write!(f, "{why}; the new files are safe and the next run puts them in place")
            }
            Self::Unfinished { why, placed: true } => {
                write!(f, "{why}; the new files are in place and the next run cleans up")
            }
            Self::KubeletGone(why) => write!(f, "an interrupted run is pending and cannot be finished: {why}"),
            Self::Unsynced(why) => write!(f, "the tree is in place but may not survive a power failure: {why}"),
            #[cfg(test)]
            Self::Stopped => f.write_str("stopped by a test"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Displayed as the error itself.
            Self::File(error) => error.source(),
            Self::BadMark { why, .. } => Some(why),
            Self::Unfinished { why, .. } => Some(why),
            Self::KubeletGone(why) | Self::Unsynced(why) => Some(why),
            _ => None,
        }
    }
}

/// Why a commit mark cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkError {
    /// Of a newer kpki.
    Version(u64),
    /// Not the JSON document it has to be, from this place on; both count from 1.
    Malformed { line: usize, column: usize },
}

impl From<serde_json::Error> for MarkError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}

impl fmt::Display for MarkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "this kpki does not know its version {version}"),
            Self::Malformed { line, column } => write!(f, "it is malformed at line {line}, column {column}"),
        }
    }
}

impl std::error::Error for MarkError {}
