//! The store against real directories.

mod crash;
mod create;
mod file;
mod generations;
mod journal;
mod merge;
mod outer;
mod race;
mod roots;
mod state_files;
mod sync;
mod timing;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

use super::commit::Receipt;
use super::recover::Recovery;
use super::{Commit, FileChange, Locking, PriorFile, RootId, Roots, StoreError, TreeLock, publish};
use crate::files::RelPath;

pub(super) const FILES: [(&str, u32); 6] = [
    ("pki/ca.key", 0o600),
    ("pki/ca.crt", 0o644),
    ("pki/etcd/ca.key", 0o600),
    ("pki/etcd/ca.crt", 0o644),
    ("pki/sa.pub", 0o644),
    ("admin.conf", 0o600),
];

pub(super) fn rel(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

pub(super) fn change(root: RootId, path: &str, mode: u32, text: &str, replace: bool) -> FileChange {
    FileChange { root, path: rel(path), mode, bytes: Zeroizing::new(text.as_bytes().to_vec()), replace }
}

/// The whole test tree, every file saying which run wrote it; with the files of the directories outside that there are.
pub(super) fn changes(roots: &Roots, tag: &str, replace: bool) -> Vec<FileChange> {
    let mut all: Vec<FileChange> =
        FILES.iter().map(|(path, mode)| change(RootId::Main, path, *mode, tag, replace)).collect();
    if roots.kubelet.is_some() {
        all.push(change(RootId::Kubelet, "kubelet.key", 0o600, tag, replace));
        all.push(change(RootId::Kubelet, "sub/kubelet.crt", 0o644, tag, replace));
    }
    if roots.certificates.is_some() {
        all.push(change(RootId::Certificates, "etcd/ca.key", 0o600, tag, replace));
        all.push(change(RootId::Certificates, "ca.crt", 0o644, tag, replace));
    }
    all.push(change(RootId::State, "profile.yaml", 0o600, tag, true));
    all
}

pub(super) fn commit<'a>(roots: &'a Roots, changes: Vec<FileChange>) -> Commit<'a> {
    Commit {
        roots,
        changes,
        dir_mode: 0o755,
        generation: "gen",
        locking: Locking::Wait(Duration::from_secs(20)),
        removals: Vec::new(),
        outer: Vec::new(),
        journal: Vec::new(),
        note: None,
        keep_generations: None,
        pinned: Vec::new(),
        erasures: Vec::new(),
        forgets: false,
    }
}

pub(super) fn put(roots: &Roots, tag: &str, replace: bool) -> Result<Receipt, StoreError> {
    publish(&commit(roots, changes(roots, tag, replace)))
}

/// All a commit can do: the whole test tree, two surplus files removed, two lines in the journal, a note, old generations
/// removed.
pub(super) fn full<'a>(roots: &'a Roots, tag: &str) -> Commit<'a> {
    let surplus = SURPLUS.iter().filter(|(root, _)| *root == RootId::Main || roots.outside(*root).is_some());
    Commit {
        removals: surplus.map(|(root, path)| (*root, rel(path))).collect(),
        journal: vec![format!("{tag} 0"), format!("{tag} 1")],
        note: Some(format!("{{\"tag\":\"{tag}\"}}")),
        keep_generations: Some(2),
        ..commit(roots, changes(roots, tag, true))
    }
}

pub(super) const SURPLUS: [(RootId, &str); 3] =
    [(RootId::Main, "pki/old.key"), (RootId::Kubelet, "sub/old.crt"), (RootId::Certificates, "etcd/old.key")];

/// A tree with the surplus files, a journal, and as many generations as stay.
pub(super) fn with_history(roots: &Roots) {
    for tag in ["zero", "half", "one"] {
        let mut all = full(roots, tag);
        for (root, path) in std::mem::take(&mut all.removals) {
            all.changes.push(change(root, path.as_str(), 0o600, tag, true));
        }
        publish(&all).unwrap();
    }
}

pub(super) fn main_only(tmp: &Path) -> Roots {
    Roots::alone(tmp.join("tree"))
}

pub(super) fn with_kubelet(tmp: &Path) -> Roots {
    Roots { kubelet: Some(tmp.join("kubelet/pki")), ..main_only(tmp) }
}

pub(super) fn with_certificates(tmp: &Path) -> Roots {
    Roots { certificates: Some(tmp.join("srv/pki")), ..main_only(tmp) }
}

pub(super) fn with_three(tmp: &Path) -> Roots {
    Roots { certificates: Some(tmp.join("srv/pki")), ..with_kubelet(tmp) }
}

/// Only a merge takes the lock of the tree.
pub(super) fn is_merged(roots: &Roots) -> bool {
    roots.main.join(".kpki/lock").exists()
}

pub(super) fn before(roots: &Roots, name: &str) -> Result<Vec<PriorFile>, StoreError> {
    super::before_of(roots, name, |_| true)
}

/// Everything below a directory but the lock: mode, and content of files.
#[allow(clippy::disallowed_methods)]
pub(super) fn snapshot(dir: &Path) -> BTreeMap<String, (u32, Option<String>)> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| !entry.path().ends_with(".kpki/lock"))
        .map(|entry| {
            let meta = entry.path().symlink_metadata().unwrap();
            let text = meta.is_file().then(|| std::fs::read_to_string(entry.path()).unwrap());
            let name = entry.path().strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            (name, (meta.permissions().mode() & 0o7777, text))
        })
        .collect()
}

/// Every published file holds this, has its mode, and nothing prepared is left.
pub(super) fn assert_whole(tmp: &Path, roots: &Roots, tag: &str) {
    for change in changes(roots, tag, false) {
        let path = roots.path_of(change.root, &change.path);
        let found = snapshot(path.parent().unwrap());
        let (mode, text) =
            found.get(change.path.file_name()).unwrap_or_else(|| panic!("{} is missing", path.display()));
        assert_eq!((*mode, text.as_deref()), (change.mode, Some(tag)), "{}", path.display());
    }
    assert_clean(tmp);
}

/// No staging directory, no mark, and no key readable by others.
pub(super) fn assert_clean(tmp: &Path) {
    for (path, (mode, text)) in snapshot(tmp) {
        let rest = path.contains(".kpki-") || path.ends_with(".kpki/staging") || path.ends_with(".kpki/commit");
        assert!(!rest, "{path} is left");
        let secret = path.ends_with(".key") || path.ends_with(".conf");
        assert!(text.is_none() || !secret || mode & 0o077 == 0, "{path} has mode {mode:o}");
    }
}

#[allow(clippy::disallowed_methods)]
pub(super) fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(super) fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

pub(super) fn hold(roots: &Roots) -> TreeLock {
    TreeLock::take(&roots.main, Duration::from_secs(1)).unwrap()
}
