//! Where the paths that a node's files have on their machine are on this one.

use super::around::Referred;
use super::expected;
use super::expected::CandidatePath;
use super::request::Request;
use crate::catalog::paths::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, KUBELET_CERTIFICATE, kubelet_dir_beside};
use crate::files;
use std::path::Path;

/// Where paths of the node are on this machine.
#[derive(Debug)]
pub struct NodeRootfs {
    /// Of the tree, without a slash at the end.
    root: String,
    pub kubelet: CandidatePath,
    /// certificatesDir outside /etc/kubernetes, and where it is here.
    pub certificates: Option<(String, CandidatePath)>,
    /// A person gave the kubelet's directory, or this is its machine: files it refers to must exist.
    is_certain: bool,
}

impl NodeRootfs {
    pub fn of(request: &Request<'_>, root: &str) -> Self {
        let is_within = || files::what(None, &Path::new(root).join(KUBELET_CERTIFICATE)).is_some();
        let kubelet = match (&request.kubelet_dir, kubelet_dir_beside(root)) {
            (Some(dir), _) => CandidatePath::AsIs(dir.display().to_string().trim_end_matches('/').to_owned()),
            (None, Some(beside)) if !is_within() => CandidatePath::AsIs(beside),
            (None, _) => CandidatePath::Below("kubelet".to_owned()),
        };
        let elsewhere = request.profile.filter(|profile| profile.certificates_below().is_none());
        let certificates =
            elsewhere.map(|profile| (profile.certificates_dir.clone(), CandidatePath::Below(expected::pki(request))));
        let is_certain = request.kubelet_dir.is_some() || root == DEFAULT_DIR;
        Self { root: root.to_owned(), kubelet, certificates, is_certain }
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
        let below = |dir: &str| path.strip_prefix(dir).and_then(|rest| rest.strip_prefix('/'));
        let certificate = self.certificates.as_ref().and_then(|(dir, here)| Some((below(dir)?, here)));
        match (certificate, below(DEFAULT_KUBELET_DIR)) {
            (Some((name, here)), _) => Referred { path: format!("{}/{name}", self.full(here)).into(), optional: false },
            (None, Some(name)) => {
                let path = format!("{}/{name}", self.full(&self.kubelet)).into();
                Referred { path, optional: !self.is_certain }
            }
            (None, None) => {
                let below = path.strip_prefix(DEFAULT_DIR).map_or(path, |rest| rest.trim_start_matches('/'));
                Referred { path: self.below(below).into(), optional: false }
            }
        }
    }
}
