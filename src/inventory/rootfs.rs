//! Where the paths that a node's files have on their machine are on this one.

use super::around::Referred;
use super::expected::CandidatePath;
use super::request::Request;
use crate::catalog::paths::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};

/// Where paths of the node are on this machine.
#[derive(Debug)]
pub struct NodeRootfs {
    /// Of the tree, without a slash at the end.
    root: String,
    pub kubelet: CandidatePath,
    /// A person gave the kubelet's directory, or this is its machine: files it refers to must exist.
    is_certain: bool,
}

impl NodeRootfs {
    pub fn of(request: &Request<'_>, root: &str) -> Self {
        let kubelet = match (&request.kubelet_dir, root.strip_suffix(DEFAULT_DIR)) {
            (Some(dir), _) => CandidatePath::AsIs(dir.display().to_string().trim_end_matches('/').to_owned()),
            (None, Some(prefix)) => CandidatePath::AsIs(format!("{prefix}{DEFAULT_KUBELET_DIR}")),
            (None, None) => CandidatePath::Below("kubelet".to_owned()),
        };
        Self { root: root.to_owned(), kubelet, is_certain: request.kubelet_dir.is_some() || root == DEFAULT_DIR }
    }

    fn below(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.root) }
    }

    pub fn full(&self, candidate: &CandidatePath) -> String {
        match candidate {
            CandidatePath::Below(path) => self.below(path),
            CandidatePath::AsIs(path) => path.clone(),
        }
    }

    /// A file a kubeconfig refers to, and whether it may be missing: the kubelet's own directory may be elsewhere when a tree
    /// is read from outside the node. The node's `/etc/kubernetes` is what this tree is.
    pub fn referred(&self, path: &str) -> Referred {
        let name = path.strip_prefix(DEFAULT_KUBELET_DIR).and_then(|rest| rest.strip_prefix('/'));
        match name {
            Some(name) => {
                let path = format!("{}/{name}", self.full(&self.kubelet)).into();
                Referred { path, optional: !self.is_certain }
            }
            None => {
                let below = path.strip_prefix(DEFAULT_DIR).map_or(path, |rest| rest.trim_start_matches('/'));
                Referred { path: self.below(below).into(), optional: false }
            }
        }
    }
}
