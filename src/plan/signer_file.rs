//! ca-signer.crt: the certificate that signs, alone. kube-controller-manager's `--cluster-signing-cert-file` accepts exactly one,
//! and ca.crt holds more below an intermediate CA (kubeadm#1350). Which flag is set is read in its static pod's manifest.

use crate::catalog::paths::SIGNER_FILE;
use crate::encoding::shown::named;
use crate::encoding::yaml::{self, Node, Value};

const FLAG: &str = "--cluster-signing-cert-file";

/// The flag in a static pod's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag {
    /// There is no manifest here.
    Unknown,
    /// No container has it: nothing is signed in the cluster.
    Unset,
    /// It is no YAML.
    Unreadable,
    Path(String),
}

/// The flag of a manifest; the last one counts, as for the program.
pub fn flag(manifest: Option<&[u8]>) -> Flag {
    let Some(bytes) = manifest else { return Flag::Unknown };
    let stream = yaml::read(bytes);
    if !stream.readable() || stream.documents.is_empty() {
        return Flag::Unreadable;
    }
    let containers = stream.documents.iter().filter_map(|pod| yaml::field(yaml::field(pod, "spec")?, "containers"));
    let words: Vec<&str> = containers
        .flat_map(items)
        .flat_map(|container| ["command", "args"].into_iter().filter_map(|key| yaml::field(container, key)))
        .flat_map(items)
        .filter_map(scalar)
        .collect();
    let following = words.iter().zip(words.iter().skip(1)).filter(|(word, _)| **word == FLAG).map(|(_, path)| *path);
    let joined = words.iter().filter_map(|word| word.strip_prefix(FLAG)?.strip_prefix('='));
    joined.chain(following).last().map_or(Flag::Unset, |path| Flag::Path(path.to_owned()))
}

fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

fn scalar(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// One control-plane node as it is after the run.
#[derive(Debug, Clone)]
pub struct SigningNode<'a> {
    pub flag: Flag,
    /// Where the manifest is, for messages.
    pub manifest: &'a str,
    /// Where ca.crt is on the node.
    pub certificates_dir: &'a str,
    /// How many certificates ca.crt holds.
    pub certificates: usize,
    /// ca-signer.crt exists.
    pub exists: bool,
    /// This run has written it.
    pub is_new: bool,
}

impl SigningNode<'_> {
    /// What is wrong with the flag, or, where it cannot be seen and the file is new, how it has to be.
    pub fn notice(&self) -> Option<String> {
        let Self { flag, manifest, certificates_dir, certificates, exists, is_new } = self;
        let directory = certificates_dir.trim_end_matches('/');
        let (signer, ca) = (format!("{directory}/{SIGNER_FILE}"), format!("{directory}/ca.crt"));
        let holds = match certificates {
            0 | 1 => String::new(),
            many => format!(", and ca.crt holds {many}"),
        };
        match flag {
            Flag::Path(path) if *path == signer && !exists => Some(format!(
                "{manifest} has {FLAG}={signer}, which does not exist: kube-controller-manager does not start; set {FLAG}={ca}, or \
                 controllerManager.signerFile: true in the profile"
            )),
            Flag::Path(path) if *path == ca && *certificates > 1 => Some(format!(
                "{manifest} has {FLAG}={}: kube-controller-manager accepts exactly one certificate there{holds}, and does not \
                 start; set {FLAG}={signer}",
                named(path)
            )),
            Flag::Unreadable if *exists => {
                Some(format!("{manifest} cannot be read: kube-controller-manager needs {FLAG}={signer}{holds}"))
            }
            Flag::Unknown if *is_new => Some(format!(
                "start kube-controller-manager with {FLAG}={signer}: it accepts exactly one certificate there{holds}"
            )),
            Flag::Unknown | Flag::Unset | Flag::Unreadable | Flag::Path(_) => None,
        }
    }
}

/// For who signs a CA certificate that is to be another tree's cluster CA.
pub fn elsewhere(certificates_dir: &str) -> String {
    format!(
        "with its chain in ca.crt, kube-controller-manager needs {FLAG}={}/{SIGNER_FILE}, which kpki import writes: it accepts \
         exactly one certificate there",
        certificates_dir.trim_end_matches('/')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(words: &str) -> String {
        format!("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: kube-controller-manager\n{words}")
    }

    #[test]
    fn the_flag_is_found_where_kubeadm_and_others_write_it() {
        let of = |text: &str| flag(Some(text.as_bytes()));
        let path = |path: &str| Flag::Path(path.to_owned());
        for (text, expected) in [
            (
                pod("    command:\n    - kube-controller-manager\n    - --cluster-signing-cert-file=/p/ca.crt\n"),
                path("/p/ca.crt"),
            ),
            (pod("    command: [kcm]\n    args: [--cluster-signing-cert-file, /p/a.crt]\n"), path("/p/a.crt")),
            (pod("    command: [--cluster-signing-cert-file=/a, --cluster-signing-cert-file=/b]\n"), path("/b")),
            (pod("    command: [--cluster-signing-key-file=/p/ca.key]\n"), Flag::Unset),
            (pod("    command: --cluster-signing-cert-file=/p/ca.crt\n"), Flag::Unset),
            ("kind: Pod\n".to_owned(), Flag::Unset),
            ("{".to_owned(), Flag::Unreadable),
            (String::new(), Flag::Unreadable),
        ] {
            assert_eq!(of(&text), expected, "{text}");
        }
        assert_eq!(flag(None), Flag::Unknown);
    }

    #[test]
    fn what_is_wrong_is_said_and_nothing_else() {
        let (ca, signer) = ("/etc/kubernetes/pki/ca.crt", "/etc/kubernetes/pki/ca-signer.crt");
        for (flag, certificates, exists, is_new, said) in [
            (Flag::Path(ca.to_owned()), 1, false, false, ""),
            (Flag::Path(ca.to_owned()), 1, true, true, ""),
            (
                Flag::Path(ca.to_owned()),
                2,
                true,
                true,
                "accepts exactly one certificate there, and ca.crt holds 2, and does not start; set",
            ),
            (
                Flag::Path(ca.to_owned()),
                2,
                true,
                false,
                "set --cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt",
            ),
            (Flag::Path(signer.to_owned()), 2, true, true, ""),
            (Flag::Path(signer.to_owned()), 1, false, false, "which does not exist"),
            (Flag::Path("/other.crt".to_owned()), 2, true, true, ""),
            (Flag::Unset, 2, true, true, ""),
            (Flag::Unreadable, 2, true, false, "cannot be read"),
            (Flag::Unreadable, 1, false, false, ""),
            (Flag::Unknown, 2, true, true, "start kube-controller-manager with"),
            (Flag::Unknown, 2, true, false, ""),
        ] {
            let node = SigningNode {
                flag,
                manifest: "m.yaml",
                certificates_dir: "/etc/kubernetes/pki/",
                certificates,
                exists,
                is_new,
            };
            let notice = node.notice();
            assert_eq!(notice.is_some(), !said.is_empty(), "{node:?}");
            assert!(notice.unwrap_or_default().contains(said), "{node:?}");
        }
    }
}
