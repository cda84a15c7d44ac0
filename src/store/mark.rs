//! The manifest of a merge. Under its final name it is the commit mark: whoever finds it finishes the work it lists.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::files::{Dir, Found, RelPath};

use super::RootId;
use super::error::StoreError;

pub(super) const MARK: &str = "commit";
const VERSION: u64 = 1;
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
        let manifest = json!({
            "version": VERSION, "generation": self.generation, "dirMode": self.dir_mode, "kubelet": kubelet,
            "files": files,
        });
        manifest.to_string().into_bytes()
    }

    fn from_json(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if value.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err("its version is not known to this kpki".to_owned());
        }
        let read = || {
            let kubelet = match value.get("kubelet")? {
                Value::Null => None,
                kubelet => Some((PathBuf::from(kubelet.get("path")?.as_str()?), plain(kubelet.get("staging")?)?)),
            };
            let files = value.get("files")?.as_array()?.iter().map(Placement::from_json).collect::<Option<_>>()?;
            let dir_mode = u32::try_from(value.get("dirMode")?.as_u64()?).ok()? & 0o777;
            Some(Self { generation: plain(value.get("generation")?)?, dir_mode, kubelet, files })
        };
        read().ok_or_else(|| "a field is missing or malformed".to_owned())
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
    match crate::files::read(kpki, &RelPath::parse(MARK)?, LARGEST)? {
        Found::Missing => Ok(None),
        Found::File { bytes, .. } => {
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
        };
        let json = manifest.to_json();
        assert_eq!(Manifest::from_json(&json), Ok(manifest));
        let text = String::from_utf8(json).unwrap();
        for (from, to) in
            [("\"a/b\"", "\"../b\""), ("\".s\"", "\"a/s\""), (":1,", ":2,"), ("kubelet\",\"st", "x\",\"st")]
        {
            assert!(Manifest::from_json(text.replace(from, to).as_bytes()).is_err(), "{from}");
        }
    }
}
