//! Whether a directory is a kubernetes directory or a cluster directory, decided by names only.

use std::path::Path;

use crate::files::{self, What};

const LANDMARKS: &[&str] = &[
    "admin.conf",
    "kubelet.conf",
    "pki/apiserver.crt",
    "pki/apiserver.key",
    "controller-manager.conf",
    "scheduler.conf",
    "super-admin.conf",
    "pki/front-proxy-ca.crt",
    "pki/etcd/ca.crt",
];

pub fn is_node(path: &Path) -> bool {
    LANDMARKS.iter().any(|name| exists(&path.join(name)))
}

pub fn is_cluster(path: &Path) -> bool {
    is_directory(&path.join("nodes")) && (exists(&path.join("pki/ca.crt")) || is_directory(&path.join(".kpki")))
}

pub fn exists(path: &Path) -> bool {
    files::what(None, path).is_some()
}

pub fn is_directory(path: &Path) -> bool {
    files::what(None, path) == Some(What::Directory)
}
