//! The manifest of a merge. Under its final name it is the commit mark: whoever finds it finishes the work it lists.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::files::{Dir, Facts, FileState, RelPath};

use super::error::StoreError;
use super::{RootId, trust};

pub(super) const MARK: &str = "commit";
/// 1, of earlier kpkis, knew neither removals nor a journal.
const VERSIONS: std::ops::RangeInclusive<u64> = 1..=2;
/// A few hundred thousand files; nobody has them, and it is a bound.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The name of the generation the replaced files go to; also used for a file that turns up at the last moment.
    pub generation: String,
    pub dir_mode: u32,
    /// The kubelet's directory, absolute, and the name of the staging directory in it.
    pub kubelet: Option<(PathBuf, String)>,
    pub files: Vec<Placement>,
    pub removals: Vec<Removal>,
    /// How long the journal was when the lines to append to it were prepared; `None`: there are none.
    pub journal: Option<u64>,
    /// How many generations are left afterwards; `None`: all.
    pub keep: Option<usize>,
}

/// One file that is to go, as it was when that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Removal {
    pub root: RootId,
    pub path: RelPath,
    pub inode: u64,
    pub size: u64,
    pub modified: (i64, u32),
}

/// One rename.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub root: RootId,
    /// The name in the staging directory.
    pub staged: String,
    pub path: RelPath,
    pub replace: bool,
}

impl Manifest {
    pub fn to_json(&self) -> Vec<u8> {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| {
                json!({
                    "root": file.root.name(), "staged": file.staged, "path": file.path.as_str(), "replace": file.replace,
                })
            })
            .collect();
        let kubelet = self.kubelet.as_ref().map(|(path, staging)| json!({"path": path.to_str(), "staging": staging}));
        let removals: Vec<Value> = self.removals.iter().map(Removal::to_json).collect();
        let manifest = json!({
            "version": VERSIONS.end(), "generation": self.generation, "dirMode": self.dir_mode, "kubelet": kubelet,
            "files": files, "removals": removals, "journal": self.journal, "keepGenerations": self.keep,
        });
        manifest.to_string().into_bytes()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let version = value.get("version").and_then(Value::as_u64).filter(|version| VERSIONS.contains(version));
        let Some(version) = version else { return Err("its version is not known to this kpki".to_owned()) };
        let read = || {
            let kubelet = match value.get("kubelet")? {
                Value::Null => None,
                kubelet => Some((PathBuf::from(kubelet.get("path")?.as_str()?), plain(kubelet.get("staging")?)?)),
            };
            let files = value.get("files")?.as_array()?.iter().map(Placement::from_json).collect::<Option<_>>()?;
            let dir_mode = u32::try_from(value.get("dirMode")?.as_u64()?).ok()? & 0o777;
            let generation = plain(value.get("generation")?)?;
            let (removals, journal, keep) = if version == 1 { Default::default() } else { second(&value)? };
            Some(Self { generation, dir_mode, kubelet, files, removals, journal, keep })
        };
        read().ok_or_else(|| "a field is missing or malformed".to_owned())
    }
}

/// What the second version has more than the first.
fn second(value: &Value) -> Option<(Vec<Removal>, Option<u64>, Option<usize>)> {
    let number = |key| match value.get(key)? {
        Value::Null => Some(None),
        number => Some(Some(number.as_u64()?)),
    };
    let removals = value.get("removals")?.as_array()?.iter().map(Removal::from_json).collect::<Option<_>>()?;
    let keep = number("keepGenerations")?.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
    Some((removals, number("journal")?, keep))
}

impl Removal {
    pub fn of(root: RootId, path: &RelPath, facts: &Facts) -> Self {
        Self { root, path: path.clone(), inode: facts.inode, size: facts.size, modified: facts.modified }
    }

    /// Whether it is still the file that was to go. Not the device: its number may change with a restart.
    pub fn is(&self, facts: &Facts) -> bool {
        (self.inode, self.size, self.modified) == (facts.inode, facts.size, facts.modified)
    }

    fn to_json(&self) -> Value {
        json!({
            "root": self.root.name(), "path": self.path.as_str(), "inode": self.inode, "size": self.size,
            "modified": [self.modified.0, self.modified.1],
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let modified = value.get("modified")?.as_array()?;
        Some(Self {
            root: RootId::parse(value.get("root")?.as_str()?)?,
            path: RelPath::parse(value.get("path")?.as_str()?).ok()?,
            inode: value.get("inode")?.as_u64()?,
            size: value.get("size")?.as_u64()?,
            modified: (modified.first()?.as_i64()?, u32::try_from(modified.get(1)?.as_u64()?).ok()?),
        })
    }
}

impl Placement {
    fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            root: RootId::parse(value.get("root")?.as_str()?)?,
            staged: plain(value.get("staged")?)?,
            path: RelPath::parse(value.get("path")?.as_str()?).ok()?,
            replace: value.get("replace")?.as_bool()?,
        })
    }
}

/// A name that stays in its directory.
fn plain(value: &Value) -> Option<String> {
    let path = RelPath::parse(value.as_str()?).ok()?;
    path.parent().is_none().then(|| path.as_str().to_owned())
}

/// The mark in `.kpki`, if there is one.
pub(super) fn find(kpki: &Dir) -> Result<Option<Manifest>, StoreError> {
    let unreadable = |path: &Path, why| StoreError::BadManifest { path: path.to_path_buf(), why };
    trust::check_own(kpki, MARK)?;
    match crate::files::read(kpki, &RelPath::parse(MARK)?, LARGEST)? {
        FileState::Missing => Ok(None),
        FileState::File { bytes, .. } => {
            Manifest::from_json(&bytes).map(Some).map_err(|why| unreadable(&kpki.path_of(MARK), why))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_what_it_wrote_and_refuses_to_leave_its_directory() {
        let placement = |path: &str| Placement {
            root: RootId::Kubelet,
            staged: "0".into(),
            path: RelPath::parse(path).unwrap(),
            replace: true,
        };
        let manifest = Manifest {
            generation: "g".into(),
            dir_mode: 0o755,
            kubelet: Some(("/k".into(), ".s".into())),
            files: vec![placement("a/b")],
            removals: vec![Removal {
                root: RootId::Main,
                path: RelPath::parse("c").unwrap(),
                inode: u64::MAX,
                size: 3,
                modified: (-1, 999_999_999),
            }],
            journal: Some(77),
            keep: Some(5),
        };
        let json = manifest.to_json();
        assert_eq!(Manifest::from_json(&json), Ok(manifest.clone()));
        // The very text an earlier kpki left.
        let first = r#"{"version":1,"generation":"g","dirMode":493,"kubelet":{"path":"/k","staging":".s"},"files":[
            {"root":"kubelet","staged":"0","path":"a/b","replace":true}]}"#;
        let old = Manifest { removals: Vec::new(), journal: None, keep: None, ..manifest };
        assert_eq!(Manifest::from_json(first.as_bytes()), Ok(old));
        let text = String::from_utf8(json).unwrap();
        for (from, to) in [
            ("\"a/b\"", "\"../b\""),
            ("\".s\"", "\"a/s\""),
            (":2,", ":3,"),
            ("kubelet\",\"st", "x\",\"st"),
            ("\"c\"", "\"/c\""),
            ("77", "-1"),
            ("\"journal\"", "\"j\""),
        ] {
            assert!(Manifest::from_json(text.replace(from, to).as_bytes()).is_err(), "{from}");
        }
    }
}
