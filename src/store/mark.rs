//! The commit mark, `.kpki/commit`: the work of a merge. A run that finds it finishes that work.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::files::{self, Dir, Facts, FileState, RelPath};

use super::error::{MarkError, StoreError};
use super::roots::RootId;
use super::trust;

pub(super) const MARK: &str = "commit";
/// Version 1 has neither removals nor a journal, and keeps all generations.
const VERSION: u64 = 2;
/// With files outside the tree.
const VERSION_OUTER: u64 = 3;
/// With certificatesDir outside the tree.
const VERSION_CERTIFICATES: u64 = 4;
/// With generations that stay, however old they are.
const VERSION_PINNED: u64 = 5;
/// Some hundred thousand files.
const MAX_SIZE: u64 = 64 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CommitMark {
    pub version: u64,
    /// The generation of the replaced files, and of a file that appears after the mark.
    #[serde(deserialize_with = "plain_name")]
    pub generation: String,
    pub dir_mode: u32,
    #[serde(deserialize_with = "Option::deserialize")] // the field is required
    pub kubelet: Option<OutsideStaging>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<OutsideStaging>,
    pub files: Vec<Placement>,
    #[serde(default)]
    pub removals: Vec<Removal>,
    /// The size of the journal when its new lines were prepared; `None`: there are none.
    #[serde(default)]
    pub journal: Option<u64>,
    /// How many generations are left afterwards; `None`: all.
    #[serde(default)]
    pub keep_generations: Option<usize>,
    /// Generations that are left whatever that number is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<String>,
    /// Files outside the tree, put in place last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outer: Vec<OuterPlacement>,
}

/// The version of a mark: the oldest kpki that can finish the work reads it.
pub(super) const fn version(certificates: Option<&OutsideStaging>, outer: &[OuterPlacement], pinned: &[String]) -> u64 {
    match (pinned, certificates, outer) {
        ([_, ..], ..) => VERSION_PINNED,
        ([], Some(_), _) => VERSION_CERTIFICATES,
        ([], None, []) => VERSION,
        ([], None, _) => VERSION_OUTER,
    }
}

impl CommitMark {
    /// The roots outside the main directory that it has files for.
    pub fn outside(&self) -> impl Iterator<Item = (RootId, &OutsideStaging)> {
        let all = [(RootId::Kubelet, &self.kubelet), (RootId::Certificates, &self.certificates)];
        all.into_iter().filter_map(|(root, staging)| Some((root, staging.as_ref()?)))
    }
}

/// A file outside the tree, as `outer-N` in the staging directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OuterPlacement {
    /// Absolute.
    pub path: PathBuf,
    pub mode: u32,
    pub replace: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OutsideStaging {
    /// The directory outside, absolute.
    pub path: PathBuf,
    /// The name of the staging directory in it.
    #[serde(deserialize_with = "plain_name")]
    pub staging: String,
}

/// One rename.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Placement {
    pub root: RootId,
    /// The name in the staging directory.
    #[serde(deserialize_with = "plain_name")]
    pub staged: String,
    pub path: RelPath,
    pub replace: bool,
}

/// One file to remove, as it was before the mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Removal {
    pub root: RootId,
    pub path: RelPath,
    pub inode: u64,
    pub size: u64,
    pub modified: (i64, u32),
}

impl Removal {
    pub fn of(root: RootId, path: &RelPath, facts: &Facts) -> Self {
        Self { root, path: path.clone(), inode: facts.inode, size: facts.size, modified: facts.modified }
    }

    /// Whether the file is unchanged. The number of its device may change with a restart.
    pub fn is(&self, facts: &Facts) -> bool {
        (self.inode, self.size, self.modified) == (facts.inode, facts.size, facts.modified)
    }
}

/// A name that stays in its directory.
fn plain_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = RelPath::deserialize(deserializer)?;
    if path.parent().is_some() { Err(D::Error::custom("not a plain name")) } else { Ok(path.file_name().to_owned()) }
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

pub(super) fn parse(bytes: &[u8]) -> Result<CommitMark, MarkError> {
    let Versioned { version } = serde_json::from_slice(bytes)?;
    if !(1..=VERSION_PINNED).contains(&version) {
        return Err(MarkError::Version(version));
    }
    let mark: CommitMark = serde_json::from_slice(bytes)?;
    Ok(CommitMark { dir_mode: mark.dir_mode & 0o777, ..mark })
}

/// The mark in `.kpki`, if there is one.
pub(super) fn find(kpki: &Dir) -> Result<Option<CommitMark>, StoreError> {
    trust::check_own(kpki, MARK)?;
    match files::read(kpki, &RelPath::parse(MARK)?, MAX_SIZE)? {
        FileState::Missing => Ok(None),
        FileState::File { bytes, .. } => {
            parse(&bytes).map(Some).map_err(|why| StoreError::BadMark { path: kpki.path_of(MARK), why })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(mark: &CommitMark) -> String {
        serde_json::to_string(mark).unwrap()
    }

    #[test]
    fn marks_of_kpki_0_1_0_are_read_and_written_again_byte_for_byte() {
        for (text, files, removals, journal) in [
            (include_str!("../../fixtures/state/0.1.0/mark.json"), 22, 0, true),
            (include_str!("../../fixtures/state/0.1.0/mark-with-removals.json"), 0, 2, false),
        ] {
            let mark = parse(text.as_bytes()).unwrap();
            let found = (mark.files.len(), mark.removals.len(), mark.journal.is_some());
            assert_eq!(found, (files, removals, journal));
            assert_eq!((mark.dir_mode, mark.keep_generations), (0o755, Some(3)));
            assert_eq!(json(&mark), text);
        }
    }

    #[test]
    fn a_removal_knows_its_file_by_inode_size_and_time() {
        let dir = Dir::open_root(".".as_ref()).unwrap();
        let facts = dir.own_facts().unwrap();
        let removal = Removal::of(RootId::Main, &RelPath::parse("a").unwrap(), &facts);
        assert!(removal.is(&Facts { device: (!facts.device.0, 0), mode: 0, ..facts }));
        for other in [
            Facts { inode: !facts.inode, ..facts },
            Facts { size: !facts.size, ..facts },
            Facts { modified: (facts.modified.0, facts.modified.1 ^ 1), ..facts },
        ] {
            assert!(!removal.is(&other), "{other:?}");
        }
    }

    #[test]
    fn a_mark_reads_back_what_it_wrote_and_refuses_to_leave_its_directory() {
        let mark = CommitMark {
            version: VERSION_PINNED,
            generation: "g".into(),
            dir_mode: 0o755,
            kubelet: Some(OutsideStaging { path: "/k".into(), staging: ".s".into() }),
            certificates: Some(OutsideStaging { path: "/c".into(), staging: ".t".into() }),
            files: vec![Placement {
                root: RootId::Kubelet,
                staged: "0".into(),
                path: RelPath::parse("a/b").unwrap(),
                replace: true,
            }],
            removals: vec![Removal {
                root: RootId::Main,
                path: RelPath::parse("c").unwrap(),
                inode: u64::MAX,
                size: 3,
                modified: (-1, 999_999_999),
            }],
            journal: Some(77),
            keep_generations: Some(5),
            pinned: vec!["h".into()],
            outer: vec![OuterPlacement { path: "/out/web.crt".into(), mode: 0o644, replace: false }],
        };
        let text = json(&mark);
        assert_eq!(parse(text.as_bytes()), Ok(mark.clone()));
        let first = r#"{"version":1,"generation":"g","dirMode":16877,"kubelet":{"path":"/k","staging":".s"},"files":[
            {"root":"kubelet","staged":"0","path":"a/b","replace":true}]}"#;
        let old = CommitMark {
            version: 1,
            certificates: None,
            removals: Vec::new(),
            journal: None,
            keep_generations: None,
            pinned: Vec::new(),
            outer: Vec::new(),
            ..mark.clone()
        };
        assert_eq!(parse(first.as_bytes()), Ok(old));
        assert_eq!(parse(text.replace("version\":5,", "version\":6,").as_bytes()), Err(MarkError::Version(6)));
        assert_eq!(parse(text.replace("version\":5,", "version\":0,").as_bytes()), Err(MarkError::Version(0)));
        assert_eq!(parse(b"{\"version\":2,"), Err(MarkError::Malformed { line: 1, column: 13 }));
        let version = |certificates: bool, outer: bool, pinned: bool| {
            let pinned = if pinned { &mark.pinned[..] } else { &[] };
            version(mark.certificates.as_ref().filter(|_| certificates), if outer { &mark.outer } else { &[] }, pinned)
        };
        let parts = [(false, false), (false, true), (true, false), (true, true)];
        assert_eq!(parts.map(|(a, b)| version(a, b, false)), [2, 3, 4, 4]);
        assert_eq!(parts.map(|(a, b)| version(a, b, true)), [5; 4]);
        for (from, to) in [
            ("\"a/b\"", "\"../b\""),
            ("\".s\"", "\"a/s\""),
            ("\".t\"", "\"..\""),
            ("\"0\"", "\"..\""),
            ("\"g\"", "\"g/h\""),
            ("kubelet\",\"st", "x\",\"st"),
            ("\"kubelet\":{\"path\":\"/k\",\"staging\":\".s\"},", ""),
            ("\"c\"", "\"/c\""),
            ("77", "-1"),
            ("\"journal\"", "\"j\""),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            assert!(matches!(parse(changed.as_bytes()), Err(MarkError::Malformed { .. })), "{from}");
        }
    }
}
