//! A kubelet.conf that names the certificate which the kubelet rotates: that stays on its node, is in no archive, and has to be there.

use super::contents::{Contents, What};
use super::place::Home;
use crate::catalog::paths::{KUBELET_CONF, ROTATED_CLIENT};
use crate::encoding::shown::named;
use crate::kubeconfig::{self, Credentials};
use crate::plan::node::NodeFile;
use crate::workspace::shipping::node_entries::NodeRootfs;

/// The path that the archive's kubelet.conf names; `None`: it embeds its credential, or names something else.
pub fn rotated(contents: &Contents) -> Option<String> {
    let conf = contents.parts.iter().find(|part| part.what == What::Public && part.entry == KUBELET_CONF)?;
    match kubeconfig::read(&conf.bytes).ok()?.credentials {
        Credentials::Files { certificate, .. } if certificate.ends_with(&format!("/{ROTATED_CLIENT}")) => {
            Some(certificate)
        }
        Credentials::Files { .. } | Credentials::Embedded { .. } => None,
    }
}

/// What the archive's kubelet.conf names is not on the node.
pub fn flaw(contents: &Contents, home: &Home) -> Option<String> {
    let path = rotated(contents)?;
    let host = NodeRootfs::of(&home.tree.roots.main);
    let is_there = matches!(host.file_at(&path), NodeFile::File(_));
    (!is_there).then(|| {
        format!(
            "{KUBELET_CONF}: names {}, which is not on this node: one that embeds its certificate is needed; on the safe host, move the \
             node's {KUBELET_CONF} away, and kpki init makes such a one",
            named(&path)
        )
    })
}
