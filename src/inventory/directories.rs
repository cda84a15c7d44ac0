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

/// Kubeconfigs beside certificates are another tool's layout.
pub fn is_node(path: &Path) -> bool {
    let mut found = LANDMARKS.iter().filter(|name| exists(&path.join(name)));
    match found.next() {
        Some(name) if !name.starts_with("pki/") => {
            let further: Vec<_> = found.collect();
            // Anybody's admin.conf lies anywhere.
            let is_alone = further.is_empty() && *name != "kubelet.conf" && !is_directory(&path.join("pki"));
            further.iter().any(|name| name.starts_with("pki/")) || (!is_alone && !has_certificates(path))
        }
        first => first.is_some(),
    }
}

/// One that cannot be listed is reported by whoever reads it.
fn has_certificates(path: &Path) -> bool {
    let listed = files::Dir::open_root(path).and_then(|dir| dir.list());
    let is_there = listed.is_ok_and(|all| all.iter().any(|entry| entry.name.as_encoded_bytes().ends_with(b".crt")));
    is_there && !is_directory(&path.join("pki"))
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
