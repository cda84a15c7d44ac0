//! The trees kubeadm made, and every kind of damage.

#![allow(clippy::disallowed_methods)] // tests lay out their files by hand

mod damage;
mod trees;
mod walks;

use std::path::{Path, PathBuf};

use super::walk::directory;
use super::*;
use crate::catalog::CaId;

const KUBEADM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm");

fn fixture(path: &str) -> PathBuf {
    Path::new(KUBEADM).join(path)
}

fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(fixture(path)).unwrap()
}

/// A copy of a fixture's tree that may be damaged.
fn copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy_to(name, dir.path());
    dir
}

fn copy_to(name: &str, to: &Path) {
    let from = fixture(name).join("etc-kubernetes");
    for entry in walkdir::WalkDir::new(&from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(&from).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn node(root: &Path) -> Tree {
    tree(&Request::node(root, None, None))
}

fn item<'t>(tree: &'t Tree, name: &str) -> &'t Item {
    tree.items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("{name}: {:#?}", names(tree)))
}

fn names(tree: &Tree) -> Vec<&str> {
    tree.items.iter().map(|item| item.name.as_str()).collect()
}

fn facts(item: &Item) -> &CertificateFacts {
    match &item.reading {
        Reading::Certificate(facts) => facts,
        other => panic!("{}: {other:?}", item.name),
    }
}

fn unreadable(item: &Item) -> String {
    match &item.reading {
        Reading::Unreadable(why) => why.to_string(),
        other => panic!("{}: {other:?}", item.name),
    }
}
