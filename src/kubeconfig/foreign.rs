//! Fields of a kubeconfig that neither kpki nor kubeadm writes: a program to run, a proxy, a server that is not verified.

use super::document::{items, root, stream};
use super::error::KubeconfigError;
use crate::encoding::yaml::{Node, Value, field};

/// Each list at the top, what its items hold beside their name, and the fields of that.
const KNOWN: &[(&str, &str, &[&str])] = &[
    ("clusters", "cluster", &["server", "certificate-authority", "certificate-authority-data", "extensions"]),
    ("contexts", "context", &["cluster", "user", "namespace", "extensions"]),
    (
        "users",
        "user",
        &["client-certificate", "client-certificate-data", "client-key", "client-key-data", "extensions"],
    ),
];
const TOP: &[&str] =
    &["apiVersion", "kind", "clusters", "contexts", "users", "current-context", "preferences", "extensions"];

/// The first such field, as `users.user.exec`.
///
/// # Errors
/// It is no kubeconfig.
pub fn foreign_field(bytes: &[u8]) -> Result<Option<String>, KubeconfigError> {
    let stream = stream(bytes)?;
    let root = root(&stream)?;
    if stream.documents.len() > 1 {
        return Ok(Some("a second document".to_owned()));
    }
    let top = beside(root, TOP).map(str::to_owned);
    let below = KNOWN.iter().flat_map(|(list, what, fields)| {
        items(root, list).iter().filter_map(move |item| {
            let outer = beside(item, &["name", what]).map(|key| format!("{list}.{key}"));
            let inner =
                || field(item, what).and_then(|node| beside(node, fields)).map(|key| format!("{list}.{what}.{key}"));
            outer.or_else(inner)
        })
    });
    Ok(top.into_iter().chain(below).next())
}

/// The first key that is not among these.
fn beside<'n>(node: &'n Node, known: &[&str]) -> Option<&'n str> {
    match &node.value {
        Value::Mapping(entries) => entries.iter().map(|one| one.key.as_str()).find(|key| !known.contains(key)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_neither_kpki_nor_kubeadm_writes_is_named() {
        let conf = include_str!("../../fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes/admin.conf");
        assert_eq!(foreign_field(conf.as_bytes()), Ok(None));
        for (from, to, found) in [
            ("  user:\n", "  user:\n    exec: {command: /bin/x}\n", "users.user.exec"),
            ("  user:\n", "  user:\n    token: x\n", "users.user.token"),
            (
                "    server:",
                "    insecure-skip-tls-verify: true\n    server:",
                "clusters.cluster.insecure-skip-tls-verify",
            ),
            ("    server:", "    proxy-url: http://x\n    server:", "clusters.cluster.proxy-url"),
            ("kind: Config", "kind: Config\nother: x", "other"),
        ] {
            let changed = conf.replacen(from, to, 1);
            assert_ne!(changed, conf);
            assert_eq!(foreign_field(changed.as_bytes()), Ok(Some(found.to_owned())), "{to}");
        }
    }
}
