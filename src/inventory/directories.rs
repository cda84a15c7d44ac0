//! Whether a directory is a kubernetes directory or a cluster directory, decided by names only.

use std::path::Path;

use crate::files::{self, What};

/// Certificates and keys of a node; the first one is nearly always there, and is enough.
const PAIRS: &[&str] = &["pki/apiserver.crt", "pki/apiserver.key", "pki/front-proxy-ca.crt", "pki/etcd/ca.crt"];
const KUBECONFIGS: &[&str] =
    &["admin.conf", "kubelet.conf", "controller-manager.conf", "scheduler.conf", "super-admin.conf"];

/// Kubeconfigs beside certificates are another tool's layout.
pub fn is_node(path: &Path) -> bool {
    if PAIRS.iter().any(|name| exists(&path.join(name))) {
        return true;
    }
    let mut found = KUBECONFIGS.iter().filter(|name| exists(&path.join(name)));
    let Some(name) = found.next() else { return false };
    // Anybody's admin.conf lies anywhere.
    let is_alone = *name != "kubelet.conf" && found.next().is_none() && !is_directory(&path.join("pki"));
    !is_alone && !has_certificates(path)
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
