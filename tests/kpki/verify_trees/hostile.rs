//! Files of any kind and content in every place: an answer, never a panic, and nothing that is written.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use kpki::commands::verify::{Request, run};
use kpki::encoding::pem;
use kpki::verify::{Policy, Selection};
use kpki::workspace::TreeArgs;
use proptest::prelude::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::bases::{AT, Base, Tree};
use super::verify;
use crate::harness::names;

/// A place of each kind of file.
const PLACES: [&str; 8] = [
    "pki/apiserver.crt",
    "pki/ca.crt",
    "pki/apiserver.key",
    "admin.conf",
    "pki/sa.pub",
    "pki/ca.crl",
    "manifests/etcd.yaml",
    "config.yaml",
];

/// What makes something at a path.
type Make = fn(&Path);

/// What stands there.
const KINDS: [(&str, Make); 5] = [
    ("a FIFO", |path| mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap()),
    ("a directory", |path| fs::create_dir(path).unwrap()),
    ("an endless device", |path| symlink("/dev/zero", path).unwrap()),
    ("a symlink to itself", |path| symlink(path.file_name().unwrap(), path).unwrap()),
    ("a symlink to nothing", |path| symlink("nothing", path).unwrap()),
];

fn clear(tree: &Tree, place: &str) -> std::path::PathBuf {
    let path = tree.path(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn what_is_no_file_is_one_finding_in_every_place() {
    let tree = Base::Node.copy();
    for place in PLACES {
        for (kind, make) in KINDS {
            let kept = fs::read(tree.path(place)).ok();
            let path = clear(&tree, place);
            make(&path);
            let report = judged(&tree.path(""));
            assert_eq!(report, format!("{}: file/broken\n", path.display()), "{kind} at {place}");
            if path.symlink_metadata().unwrap().is_dir() {
                fs::remove_dir(&path).unwrap()
            } else {
                fs::remove_file(&path).unwrap()
            }
            if let Some(kept) = kept {
                let mode = if place.ends_with(".crt") { 0o644 } else { 0o600 };
                tree.write(place, kept);
                tree.mode(place, mode);
            }
        }
    }
    assert_eq!(judged(&tree.path("")), "", "it is as it was");
}

#[test]
fn a_file_without_end_is_not_read_into_memory() {
    for place in PLACES {
        let tree = Base::Node.copy();
        File::create(clear(&tree, place)).unwrap().set_len(1 << 30).unwrap();
        let report = judged(&tree.path(""));
        assert!(report.contains(&format!("{}: file/broken", tree.path(place).display())), "{place}: {report}");
    }
}

/// The findings of a run in this process, a line each.
fn judged(dir: &Path) -> String {
    let request = Request {
        trees: TreeArgs { dirs: vec![dir.to_owned()], ..TreeArgs::default() },
        selection: Selection::default(),
        policy: Policy::default(),
        with_inventory: false,
        edges: true,
        at: AT,
        threads: 1,
        live: None,
    };
    let (report, _) = run(&request, &mut |_, _| {}).unwrap();
    let findings = report.clusters.iter().flat_map(|cluster| &cluster.findings);
    findings.map(|one| format!("{}: {}\n", one.place.path, one.rule.id)).collect()
}

/// Everything that a write would change.
fn marks(root: &Path) -> BTreeMap<std::path::PathBuf, [i64; 5]> {
    let all = walkdir::WalkDir::new(root).into_iter().map(|entry| {
        let entry = entry.unwrap();
        let meta = entry.path().symlink_metadata().unwrap();
        let of = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec(), i64::from(meta.mode())];
        (entry.into_path(), of)
    });
    all.collect()
}

#[test]
fn nothing_is_touched() {
    for base in [Base::Kubeadm, Base::Node, Base::Cluster] {
        let tree = base.copy();
        let before = marks(&tree.path(""));
        assert_eq!(verify(&tree.place, &[]).2, 0, "{base:?}");
        assert_eq!(marks(&tree.path("")), before, "{base:?}");
    }
}

#[test]
fn a_directory_that_nobody_may_write_is_read() {
    let tree = Base::Kubeadm.copy();
    for dir in ["pki/etcd", "pki", ""] {
        tree.mode(dir, 0o555);
    }
    assert_eq!(verify(&tree.place, &[]), (vec![], vec![], 0));
    for dir in ["", "pki", "pki/etcd"] {
        tree.mode(dir, 0o755);
    }
}

/// Bytes of a file, or of the DER in it, changed.
fn mutated(bytes: &[u8], in_der: bool, changes: &[(usize, u8)]) -> Vec<u8> {
    let change = |mut bytes: Vec<u8>| {
        let length = bytes.len().max(1);
        for (at, octet) in changes {
            if let Some(there) = bytes.get_mut(at % length) {
                *there = *octet;
            }
        }
        bytes
    };
    match pem::read(bytes) {
        Ok(blocks) if in_der && !blocks.is_empty() => {
            let block = |one: &pem::Block| {
                let body = kpki::encoding::base64::encode(&change(one.contents.to_vec())).to_string();
                format!("-----BEGIN {0}-----\n{body}\n-----END {0}-----\n", one.label)
            };
            blocks.iter().map(block).collect::<String>().into_bytes()
        }
        _ => change(bytes.to_vec()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any file of a tree with any octets changed is judged, and the tree is not the tree that it was.
    #[test]
    fn a_mutated_tree_is_judged(
        file in any::<prop::sample::Index>(),
        in_der in any::<bool>(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6),
    ) {
        let tree = Base::Node.copy();
        let all = names(&tree.path(""));
        let name = &all[file.index(all.len())];
        let old = fs::read(tree.path(name)).unwrap();
        let new = mutated(&old, in_der, &changes);
        tree.write(name, &new);
        let report = judged(&tree.path(""));
        // All of a leaf is signed. Nobody verifies the signature of a root.
        if in_der && name.ends_with(".crt") && !name.ends_with("ca.crt") && pem::read(&new).unwrap()[0].contents != pem::read(&old).unwrap()[0].contents {
            prop_assert!(!report.is_empty(), "{name}: {changes:?}");
        }
    }
}
