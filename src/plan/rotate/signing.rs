//! Whether kube-controller-manager signs with ca-signer.crt: it accepts exactly one certificate in the file it signs with, and stops
//! signing at once when ca.crt becomes a bundle.

use crate::catalog::paths::SIGNER_FILE;
use crate::plan::signer_file::{Flag, SIGNING_FLAG, is_bundle};

/// What is seen of one control-plane node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningNode {
    /// `None`: the tree is the node's own.
    pub node: Option<String>,
    /// In the manifest that lies beside its tree.
    pub flag: Flag,
    /// In the last receipt that was accepted; `None`: there is none, or it does not show the flag.
    pub receipt: Option<String>,
    /// In a kubeadm configuration: flags without their dashes, with their paths.
    pub configured: Vec<(String, String)>,
    /// The key of the cluster CA is on the node, by its tree.
    pub has_key: bool,
    /// On the node.
    pub certificates_dir: String,
}

/// It is known that a bundle in ca.crt keeps nobody from signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Manifest,
    Receipt,
    Configuration,
    /// By somebody's word.
    Word,
    NothingSigns,
}

/// What was seen instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// Flags that name ca.crt.
    Manifest(Vec<&'static str>),
    Unreadable,
    Receipt(String),
    Configuration(String),
    Nothing,
}

/// The manifest itself, then somebody's word, a receipt, a configuration. `in_use`: somebody says so.
///
/// # Errors
/// It is not known, or known not to be.
pub fn known(node: &SigningNode, in_use: bool) -> Result<Known, Seen> {
    let is_bundle = |path: &str| is_bundle(path, &node.certificates_dir);
    match &node.flag {
        Flag::Paths(set) => {
            let wrong: Vec<&'static str> =
                set.iter().filter(|(_, path)| is_bundle(path)).map(|(flag, _)| *flag).collect();
            return if wrong.is_empty() { Ok(Known::Manifest) } else { Err(Seen::Manifest(wrong)) };
        }
        Flag::Unset => return Ok(Known::NothingSigns),
        Flag::Unreadable if in_use => return Ok(Known::Word),
        Flag::Unreadable => return Err(Seen::Unreadable),
        Flag::Unknown => {}
    }
    if !node.has_key {
        return Ok(Known::NothingSigns);
    }
    if in_use {
        return Ok(Known::Word);
    }
    if let Some(path) = &node.receipt {
        return if is_bundle(path) { Err(Seen::Receipt(path.clone())) } else { Ok(Known::Receipt) };
    }
    if let Some((_, path)) = node.configured.iter().find(|(_, path)| is_bundle(path)) {
        return Err(Seen::Configuration(path.clone()));
    }
    let names_it = |(flag, _): &(String, String)| SIGNING_FLAG.strip_prefix("--") == Some(flag);
    if node.configured.iter().any(names_it) { Ok(Known::Configuration) } else { Err(Seen::Nothing) }
}

impl SigningNode {
    /// ca-signer.crt on the node.
    pub fn signer(&self) -> String {
        format!("{}/{SIGNER_FILE}", self.certificates_dir.trim_end_matches('/'))
    }

    /// What has to be done on the node, in one sentence.
    pub fn to_do(&self, seen: &Seen) -> String {
        let node = self.node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
        let signer = self.signer();
        let flags = match seen {
            Seen::Manifest(flags) => {
                flags.iter().map(|flag| format!("{flag}={signer}")).collect::<Vec<_>>().join(" and ")
            }
            _ => format!("{SIGNING_FLAG}={signer}"),
        };
        let now = match seen {
            Seen::Manifest(_) => "it names ca.crt".to_owned(),
            Seen::Unreadable => "it cannot be read here".to_owned(),
            Seen::Receipt(path) => format!("by the node's receipt it is {path}"),
            Seen::Configuration(path) => format!("by kubeadm's configuration it is {path}"),
            Seen::Nothing => "what it is now is not known here".to_owned(),
        };
        format!(
            "{node}set {flags} in /etc/kubernetes/manifests/kube-controller-manager.yaml ({now}), when ca-signer.crt is on the node"
        )
    }

    /// kubeadm's own configuration, or its next upgrade writes the old flag again.
    pub fn configuration(&self) -> String {
        let (name, signer) = (SIGNING_FLAG.trim_start_matches('-'), self.signer());
        format!(
            "the same in kubeadm's configuration (kubectl -n kube-system edit configmap kubeadm-config), or its next upgrade undoes \
             it: controllerManager.extraArgs: [{{name: {name}, value: {signer}}}]; before v1beta4: {{{name}: {signer}}}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_counts_before_what_was_said() {
        let (ca, signer) = ("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca-signer.crt");
        let serving = "--cluster-signing-kubelet-serving-cert-file";
        let set = |pairs: &[(&'static str, &str)]| {
            Flag::Paths(pairs.iter().map(|(flag, path)| (*flag, (*path).to_owned())).collect())
        };
        let args = |path: &str| vec![("cluster-signing-cert-file".to_owned(), path.to_owned())];
        let one = vec![("cluster-signing-kubelet-client-cert-file".to_owned(), signer.to_owned())];
        for (flag, receipt, configured, has_key, in_use, expected) in [
            (set(&[(SIGNING_FLAG, signer)]), Some(ca), args(ca), true, false, Ok(Known::Manifest)),
            (set(&[(SIGNING_FLAG, "/other.crt")]), None, vec![], true, false, Ok(Known::Manifest)),
            (
                set(&[(SIGNING_FLAG, ca)]),
                Some(signer),
                args(signer),
                true,
                true,
                Err(Seen::Manifest(vec![SIGNING_FLAG])),
            ),
            (
                set(&[(SIGNING_FLAG, signer), (serving, ca)]),
                None,
                vec![],
                true,
                false,
                Err(Seen::Manifest(vec![serving])),
            ),
            (
                set(&[(SIGNING_FLAG, "/etc/kubernetes/pki/./ca.crt")]),
                None,
                vec![],
                false,
                false,
                Err(Seen::Manifest(vec![SIGNING_FLAG])),
            ),
            (Flag::Unset, None, vec![], true, false, Ok(Known::NothingSigns)),
            (Flag::Unreadable, Some(signer), vec![], true, false, Err(Seen::Unreadable)),
            (Flag::Unreadable, None, vec![], true, true, Ok(Known::Word)),
            (Flag::Unknown, None, vec![], true, false, Err(Seen::Nothing)),
            (Flag::Unknown, None, vec![], false, false, Ok(Known::NothingSigns)),
            (Flag::Unknown, None, vec![], true, true, Ok(Known::Word)),
            (Flag::Unknown, Some(signer), args(ca), true, false, Ok(Known::Receipt)),
            (Flag::Unknown, Some(ca), args(signer), true, false, Err(Seen::Receipt(ca.to_owned()))),
            (Flag::Unknown, Some(ca), vec![], true, true, Ok(Known::Word)),
            (Flag::Unknown, None, args(signer), true, false, Ok(Known::Configuration)),
            (Flag::Unknown, None, args(ca), true, false, Err(Seen::Configuration(ca.to_owned()))),
            (Flag::Unknown, None, one, true, false, Err(Seen::Nothing)),
        ] {
            let node = SigningNode {
                node: None,
                flag,
                receipt: receipt.map(str::to_owned),
                configured,
                has_key,
                certificates_dir: "/etc/kubernetes/pki".to_owned(),
            };
            assert_eq!(known(&node, in_use), expected, "{node:?} {in_use}");
        }
    }
}
