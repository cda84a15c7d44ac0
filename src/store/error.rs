//! Why a tree could not be published, as facts.

use std::path::PathBuf;

use crate::files::{BadPath, FileError, RelPath, TrustError, Untrusted};
use crate::random::NoRandomBytes;
use crate::signals::Stopped;

use super::roots::RootId;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was changed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Nothing was changed.
    #[error(transparent)]
    Random(#[from] NoRandomBytes),
    /// These files exist and may not be replaced. Nothing was changed.
    #[error("{} already", existing(.0))]
    Exist(Vec<PathBuf>),
    /// The place of a file is that of a directory. Nothing was changed.
    #[error("expected the name of a file, found a directory: {0}")]
    NoName(PathBuf),
    /// Another process made a tree here while this run prepared one. Nothing was changed.
    #[error("{0} was created by another process meanwhile")]
    MadeMeanwhile(PathBuf),
    /// Another process changed the file while this run prepared its own. Nothing was changed.
    #[error("{0} was changed by another process meanwhile")]
    ChangedMeanwhile(PathBuf),
    /// Another process holds the lock, for longer than this one had to wait.
    #[error(
        "{} holds the lock {path}",
        .holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Locked { path: PathBuf, holder: Option<u32> },
    /// The directory is on another file system than the place where its files are prepared: no rename can put them in place.
    #[error("{0} is on another file system than the tree it belongs to")]
    OtherFileSystem(PathBuf),
    /// Two changes exclude each other: the same path twice, or a file as the directory of another.
    #[error("{0} would be written twice, or as a file and a directory")]
    Conflict(PathBuf),
    /// The path is used by the store itself.
    /// From a file that is called a certificate.
    #[error("{0} would be readable for others and holds a private key")]
    PrivateKey(PathBuf),
    #[error("{0} is reserved for kpki itself")]
    Reserved(PathBuf),
    /// A file belongs in a directory outside the tree, and none is given.
    #[error("no directory is known for {}", files_of(*.0))]
    NoRoot(RootId),
    /// One directory in two parts. Nothing was changed.
    #[error("{0} is the same directory as {1}")]
    SameRoot(PathBuf, PathBuf),
    /// A name that is not a plain name.
    #[error(transparent)]
    BadPath(#[from] BadPath),
    /// The commit mark of an interrupted run cannot be read.
    #[error("the record of an interrupted run, {path}, cannot be read: {why}")]
    BadMark {
        path: PathBuf,
        #[source]
        why: MarkError,
    },
    /// Somebody else could have written `.kpki` or a file in it, or put another in its place.
    #[error(transparent)]
    Untrusted(Box<Untrusted>),
    /// There is no generation of this name.
    #[error("there is no generation {0:?}")]
    NoGeneration(String),
    /// A generation's record says that it keeps this file, and it is not there: a key was destroyed.
    #[error("generation {generation} has no {path} any more: a key that was destroyed, or somebody removed the file")]
    NotKept { generation: String, path: RelPath },
    /// The commit mark is in place; the next run finishes the work. `placed`: every file is in place or removed already.
    #[error(
        "{why}; the new files are {}",
        if *.placed { "in place and the next run cleans up" } else { "safe and the next run puts them in place" }
    )]
    Unfinished {
        #[source]
        why: Box<Self>,
        placed: bool,
    },
    /// An earlier run has to be finished, but a directory outside the tree, in which its files are prepared, does not exist.
    #[error("an interrupted run is pending and cannot be finished: {0}")]
    OutsideGone(#[source] FileError),
    /// Everything else is done; these files outside the tree are kept elsewhere.
    #[error(
        "everything is recorded, but {} could not be put in place: {}; it is kept in {}{}",
        .0.path.display(), .0.why, .0.kept.display(), and_more(*.1)
    )]
    Undelivered(Undelivered, usize),
    /// It is in place, but the directory it is in could not be synced: it may not survive a power failure.
    #[error("everything is in place but may not survive a power failure: {0}")]
    Unsynced(#[source] FileError),
    /// A signal arrived before anything was decided. Nothing was changed.
    #[error("{0}: nothing was changed")]
    Stopped(#[from] Stopped),
    /// A test ended the run here, as a crash would.
    #[cfg(test)]
    #[error("stopped by a test")]
    Crashed,
}

const fn files_of(root: RootId) -> &'static str {
    match root {
        RootId::Kubelet => "the kubelet's files",
        RootId::Certificates => "the files of certificatesDir",
        RootId::Main | RootId::State => "the tree",
    }
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", with {count} more") }
}

fn existing(paths: &[PathBuf]) -> String {
    match paths {
        [path] => format!("{} exists", path.display()),
        [first, rest @ ..] => format!("{} and {} more exist", first.display(), rest.len()),
        [] => "files exist".to_owned(),
    }
}

/// A file that could not be put in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    pub path: PathBuf,
    /// Where it is instead.
    pub kept: PathBuf,
    pub why: Box<StoreError>,
}

impl From<TrustError> for StoreError {
    fn from(error: TrustError) -> Self {
        match error {
            TrustError::File(error) => Self::File(error),
            TrustError::Untrusted(why) => Self::Untrusted(why),
        }
    }
}

impl StoreError {
    /// Whether a test ended the run as a crash would.
    pub(super) const fn is_crash(&self) -> bool {
        match self {
            #[cfg(test)]
            Self::Crashed => true,
            _ => false,
        }
    }

    /// Whether what the run has made stays on disk.
    pub(super) const fn keeps_changes(&self) -> bool {
        matches!(self, Self::Unfinished { .. } | Self::Unsynced(_) | Self::Undelivered(..)) || self.is_crash()
    }
}

/// Why a commit mark cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// Of a newer kpki.
    #[error("this kpki does not know its version {0}")]
    Version(u64),
    /// Not the JSON document it has to be, from this place on; both count from 1.
    #[error("it is malformed at line {line}, column {column}")]
    Malformed { line: usize, column: usize },
}

impl From<serde_json::Error> for MarkError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed { line: error.line(), column: error.column() }
    }
}
