//! `kpki-backup.json`, the first member of a backup: everything that is in it, and what is not.

use serde::{Deserialize, Serialize};

use crate::files::RelPath;
use crate::store::{JsonError, RootId};
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::ApiVersion;

/// Its name in the archive.
pub const NAME: &str = "kpki-backup.json";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub api_version: ApiVersion,
    pub kind: Kind,
    /// RFC 3339, UTC.
    pub time: String,
    /// `None`: the tree records no profile.
    pub cluster_name: Option<String>,
    /// The tree's own, as it was named.
    pub directory: String,
    pub roots: Vec<BackedRoot>,
    /// Those above come first.
    pub directories: Vec<BackedDirectory>,
    pub files: Vec<BackedFile>,
    pub left_out: Vec<LeftOut>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    Backup,
}

/// Permission bits and owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owned {
    /// Octal, such as `0600`.
    #[serde(with = "octal")]
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

/// A directory of the tree, whose members are below `ROOT/` in the archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedRoot {
    pub root: RootId,
    /// Where it was.
    pub path: String,
    #[serde(flatten)]
    pub owned: Owned,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedDirectory {
    pub root: RootId,
    pub path: RelPath,
    #[serde(flatten)]
    pub owned: Owned,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedFile {
    pub root: RootId,
    pub path: RelPath,
    #[serde(flatten)]
    pub owned: Owned,
    pub size: u64,
    pub sha256: Sha256,
}

/// Neither a regular file nor a directory, or without a name that a path can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LeftOut {
    pub root: RootId,
    pub path: String,
    /// Such as `a symlink`.
    pub what: String,
}

impl Manifest {
    pub fn render(&self) -> Result<Vec<u8>, JsonError> {
        Ok(serde_json::to_vec_pretty(self)?)
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

/// The path of a member.
pub fn member(root: RootId, path: &RelPath) -> String {
    format!("{}/{path}", root.name())
}

mod octal {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub fn serialize<S: Serializer>(mode: &u32, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{mode:04o}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
        let text = String::deserialize(from)?;
        let mode = u32::from_str_radix(&text, 8).ok().filter(|mode| *mode <= 0o7777);
        mode.ok_or_else(|| de::Error::custom("expected a mode in octal"))
    }
}
