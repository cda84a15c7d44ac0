//! Which entry a path belongs to.

use crate::catalog::{ENTRIES, Files};
use crate::tree::EntryId;

/// Node and entry of the catalogue of a certificate or kubeconfig, by its path below DIR.
pub fn entry_of_path(path: &str) -> Option<EntryId> {
    let (node, below) = match path.strip_prefix("nodes/").and_then(|rest| rest.split_once('/')) {
        Some((node, below)) => (Some(node), below),
        None => (None, path),
    };
    let stem = below.strip_suffix(".crt");
    let found = ENTRIES.iter().find(|entry| match entry.files {
        Files::Kubeconfig(name) => below == name,
        Files::Pair(known) | Files::KubeletPair(known) => {
            stem.is_some_and(|stem| stem == known || stem.ends_with(&format!("/{known}")))
                && (known.contains('/') || !stem.is_some_and(|stem| stem.ends_with("etcd/ca")))
        }
        Files::KeyPair(_) => false,
    })?;
    Some(EntryId::new(node, found.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_and_kubeconfigs_are_known_by_their_paths() {
        for (path, id) in [
            ("pki/apiserver.crt", Some("apiserver")),
            ("pki/etcd/ca.crt", Some("etcd-ca")),
            ("pki/ca.crt", Some("ca")),
            ("nodes/cp1/pki/etcd/server.crt", Some("cp1/etcd-server")),
            ("nodes/cp1/kubelet/kubelet.crt", Some("cp1/kubelet-serving")),
            ("admin.conf", Some("admin.conf")),
            ("pki/apiserver.key", None),
            ("pki/sa.pub", None),
        ] {
            assert_eq!(entry_of_path(path).map(|id| id.to_string()).as_deref(), id, "{path}");
        }
    }
}
