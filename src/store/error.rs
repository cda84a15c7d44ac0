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
    /// Somebody published at this place while this run prepared to. Nothing was changed.
    MadeMeanwhile(PathBuf),
    /// The file was replaced by somebody while this run prepared to. Nothing was changed.
    ChangedMeanwhile(PathBuf),
    /// Another run holds the lock, for longer than this one was to wait.
    Locked { path: PathBuf, holder: Option<u32> },
    /// A directory that is on another file system than the place where its files are prepared, so that they cannot be
    /// put in place by a rename.
    OtherFileSystem(PathBuf),
    /// Two changes that cannot both be: the same path twice, or a file as the directory of another.
    Conflict(PathBuf),
    /// A path that belongs to the store itself.
    Reserved(PathBuf),
    /// A file is to go to the kubelet's directory, but none is given.
    NoKubeletRoot,
    /// A name that is not a plain name.
    BadPath(BadPath),
    /// The record of an interrupted run cannot be read.
    BadManifest { path: PathBuf, why: String },
    /// What kpki remembers for a tree is somebody else's, or others can write to it, and so it is not believed. `mode`:
    /// permission bits.
    Untrusted { path: PathBuf, owner: u32, mode: u32 },
    /// There is no generation of this name.
    NoGeneration(String),
    /// Every file is safe on disk and the decision is made; the next run does the rest. `placed`: every file is in place
    /// already, and what is to go is gone.
    Unfinished { why: Box<Self>, placed: bool },
    /// The decision of an earlier run stands, but the kubelet's directory, in which its files are prepared, is not there.
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
    /// Whether the disk is to be left as a crash would leave it.
    pub(super) const fn is_crash(&self) -> bool {
        match self {
            #[cfg(test)]
            Self::Stopped => true,
            _ => false,
        }
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
            Self::MadeMeanwhile(path) => write!(f, "{} was created by somebody else meanwhile", path.display()),
            Self::ChangedMeanwhile(path) => write!(f, "{} was changed by somebody else meanwhile", path.display()),
            Self::Locked { path, holder: Some(pid) } => write!(f, "process {pid} holds the lock {}", path.display()),
            Self::Locked { path, holder: None } => write!(f, "another process holds the lock {}", path.display()),
            Self::OtherFileSystem(path) => {
                write!(f, "{} is on another file system than the tree it belongs to", path.display())
            }
            Self::Conflict(path) => {
                write!(f, "{} is to be written twice, or as a file and a directory", path.display())
            }
            Self::Reserved(path) => write!(f, "{} is a name kpki keeps for itself", path.display()),
            Self::NoKubeletRoot => f.write_str("no directory is known for the kubelet's files"),
            Self::BadPath(error) => error.fmt(f),
            Self::BadManifest { path, why } => {
                write!(f, "the record of an interrupted run, {}, cannot be read: {why}", path.display())
            }
            Self::Untrusted { path, owner, mode } => write!(
                f,
                "{} decides what is written where: expected one of this user's or root's that nobody else can write to, \
                 found owner {owner} and mode {mode:04o}",
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

impl std::error::Error for StoreError {}
