//! Where the certificates of one node's tree are on this machine: certificatesDir is a path of the node.

use std::path::{Path, PathBuf};

use super::Profile;
use crate::catalog::paths::DEFAULT_DIR;

/// The directory of the certificates of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificatesDir {
    /// Below the tree, as it is below /etc/kubernetes on the node.
    Below(String),
    /// Outside of it: the tree is the node's own, or in a copy of the node's file system.
    Outside(PathBuf),
    /// Elsewhere on the node, and this tree is in no file system of a node: it has them in its `pki/`.
    Gathered,
}

/// The pki directory of a tree that has its certificates below.
pub const GATHERED: &str = "pki";

impl Profile {
    /// For one node's tree in an absolute directory.
    pub fn certificates_in(&self, dir: &Path) -> CertificatesDir {
        if let Some(below) = self.certificates_below() {
            return CertificatesDir::Below(below.to_owned());
        }
        let is_node = dir.ends_with(DEFAULT_DIR.trim_start_matches('/'));
        match dir.parent().and_then(Path::parent).filter(|_| is_node) {
            Some(file_system) => {
                CertificatesDir::Outside(file_system.join(self.certificates_dir.trim_start_matches('/')))
            }
            None => CertificatesDir::Gathered,
        }
    }

    /// The part of certificatesDir below `/etc/kubernetes`; `None`: it is elsewhere.
    pub fn certificates_below(&self) -> Option<&str> {
        self.certificates_dir.strip_prefix(DEFAULT_DIR)?.strip_prefix('/').filter(|below| !below.is_empty())
    }
}

impl CertificatesDir {
    /// Below the tree, if it is there.
    pub fn below(&self) -> Option<&str> {
        match self {
            Self::Below(below) => Some(below),
            Self::Gathered => Some(GATHERED),
            Self::Outside(_) => None,
        }
    }

    /// For a tree in `dir`.
    pub fn path(&self, dir: &Path) -> PathBuf {
        match self {
            Self::Outside(path) => path.clone(),
            Self::Below(below) => dir.join(below),
            Self::Gathered => dir.join(GATHERED),
        }
    }
}
