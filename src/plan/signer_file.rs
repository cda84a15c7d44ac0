//! ca-signer.crt: the certificate that signs, alone. kube-controller-manager's `--cluster-signing-cert-file` accepts exactly one,
//! and ca.crt holds more below an intermediate CA (kubeadm#1350). Which flag is set is read in its static pod's manifest.

use crate::catalog::paths::SIGNER_FILE;
use crate::encoding::pem;
use crate::encoding::shown::named;
use crate::manifest::{Flags, NotEdited, replace_values};
use crate::x509::{Certificate, parse_pem_bundle};

/// The one for all its signers.
pub const SIGNING_FLAG: &str = FLAG;
const FLAG: &str = "--cluster-signing-cert-file";

/// kube-controller-manager's flags for such a file: one for all its signers, or one each.
const FLAGS: [&str; 5] = [
    FLAG,
    "--cluster-signing-kubelet-client-cert-file",
    "--cluster-signing-kubelet-serving-cert-file",
    "--cluster-signing-kube-apiserver-client-cert-file",
    "--cluster-signing-legacy-unknown-cert-file",
];

/// The flags in a static pod's manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag {
    /// There is no manifest here.
    Unknown,
    /// No container has one: nothing is signed in the cluster.
    Unset,
    /// It is no YAML.
    Unreadable,
    /// Each that is set, with its path as it is written.
    Paths(Vec<(&'static str, String)>),
}

/// The flags of a manifest; of each the last one counts, as for the program.
pub fn flag(manifest: Option<&[u8]>) -> Flag {
    let Some(bytes) = manifest else { return Flag::Unknown };
    let Some(flags) = Flags::read(bytes) else { return Flag::Unreadable };
    let set = |flag: &'static str| flags.get(flag.trim_start_matches('-')).map(|path| (flag, path.to_owned()));
    let paths: Vec<(&'static str, String)> = FLAGS.into_iter().filter_map(set).collect();
    if paths.is_empty() { Flag::Unset } else { Flag::Paths(paths) }
}

/// The path without `.`, `..` and doubled slashes; links are not followed.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether a flag's path is ca.crt itself, in this directory of certificates on the node.
pub fn is_bundle(path: &str, certificates_dir: &str) -> bool {
    normal(path) == normal(&format!("{certificates_dir}/ca.crt"))
}

/// The manifest with ca-signer.crt in place of ca.crt in every flag that names a certificate to sign with, and every other byte as it
/// was.
///
/// # Errors
/// It cannot be done exactly.
pub fn edited(manifest: &[u8], certificates_dir: &str) -> Result<Vec<u8>, NotEdited> {
    let signer = normal(&format!("{certificates_dir}/{SIGNER_FILE}"));
    let names: Vec<&str> = FLAGS.iter().map(|flag| flag.trim_start_matches('-')).collect();
    replace_values(manifest, &names, |path| is_bundle(path, certificates_dir), &signer)
}

/// Whether a ca-signer.crt holds the certificate that signs, alone.
pub fn is_the_signer(bytes: &[u8], signer: &Certificate) -> bool {
    let found = parse_pem_bundle(bytes).unwrap_or_default();
    matches!(found.as_slice(), [only] if only.der == signer.der) && !pem::holds_private_key(bytes)
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
    /// What is wrong with the flags, or, where they cannot be seen and the file is new, how they have to be.
    pub fn notices(&self) -> Vec<String> {
        let Self { flag, manifest, exists, is_new, .. } = self;
        let (signer, holds) = (self.path(SIGNER_FILE), self.holds());
        match flag {
            Flag::Paths(set) => set.iter().filter_map(|(flag, path)| self.notice(flag, path)).collect(),
            Flag::Unreadable if *exists => {
                vec![format!("{manifest} cannot be read: kube-controller-manager needs {FLAG}={signer}{holds}")]
            }
            Flag::Unknown if *is_new => vec![format!(
                "start kube-controller-manager with {FLAG}={signer}: it accepts exactly one certificate there{holds}"
            )],
            Flag::Unknown | Flag::Unset | Flag::Unreadable => Vec::new(),
        }
    }

    fn notice(&self, flag: &str, path: &str) -> Option<String> {
        let Self { manifest, certificates, exists, .. } = self;
        let (signer, ca, found) = (self.path(SIGNER_FILE), self.path("ca.crt"), normal(path));
        if found == signer && !exists {
            return Some(format!(
                "{manifest} has {flag}={}, which does not exist: kube-controller-manager does not start; set {flag}={ca}, or \
                 controllerManager.signerFile: true in the profile",
                named(path)
            ));
        }
        (found == ca && *certificates > 1).then(|| {
            format!(
                "{manifest} has {flag}={}: kube-controller-manager accepts exactly one certificate there{}, and does not start; \
                 set {flag}={signer}",
                named(path),
                self.holds()
            )
        })
    }

    fn path(&self, file: &str) -> String {
        normal(&format!("{}/{file}", self.certificates_dir))
    }

    fn holds(&self) -> String {
        match self.certificates {
            0 | 1 => String::new(),
            many => format!(", and ca.crt holds {many}"),
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
        let one = |flag: &'static str, path: &str| Flag::Paths(vec![(flag, path.to_owned())]);
        let path = |path: &str| one(FLAG, path);
        let serving = "--cluster-signing-kubelet-serving-cert-file";
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
            (
                pod(
                    "    command: [kcm]\n    args: [--cluster-signing-cert-file, /b, --cluster-signing-cert-file=/a]\n",
                ),
                path("/a"),
            ),
            (pod("    command: [-cluster-signing-cert-file=/a]\n"), path("/a")),
            (pod("    command: [--cluster_signing_cert_file=/a]\n"), path("/a")),
            (pod("    command: [--cluster-signing-kubelet-serving-cert-file=/a]\n"), one(serving, "/a")),
            (
                pod("    command: [--cluster-signing-kubelet-serving-cert-file=/a, --cluster-signing-cert-file=/b]\n"),
                Flag::Paths(vec![(FLAG, "/b".to_owned()), (serving, "/a".to_owned())]),
            ),
            (
                pod(
                    "    command:\n    - sh\n    - -c\n    - exec kcm --cluster-signing-cert-file=\"/p/ca.crt\" --v=2; x\n",
                ),
                path("/p/ca.crt"),
            ),
            (
                pod(
                    "    command:\n    - sh\n    - -c\n    - |\n      kcm \\\n        --cluster-signing-cert-file '/p/ca.crt'\n",
                ),
                path("/p/ca.crt"),
            ),
            (pod("    command: [--cluster-signing-cert-file]\n"), Flag::Unset),
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
        let at = |path: &str| Flag::Paths(vec![(FLAG, path.to_owned())]);
        let client = "--cluster-signing-kubelet-client-cert-file";
        for (flag, certificates, exists, is_new, said) in [
            (at(ca), 1, false, false, ""),
            (at(ca), 1, true, true, ""),
            (
                at(ca),
                2,
                true,
                true,
                "accepts exactly one certificate there, and ca.crt holds 2, and does not start; set",
            ),
            (at(ca), 2, true, false, "set --cluster-signing-cert-file=/etc/kubernetes/pki/ca-signer.crt"),
            (at(signer), 2, true, true, ""),
            (at(signer), 1, false, false, "which does not exist"),
            (at("/other.crt"), 2, true, true, ""),
            (at("/etc/kubernetes/pki/../pki//./ca.crt"), 2, true, false, "accepts exactly one certificate"),
            (at("/etc/kubernetes/pki/x/../ca-signer.crt"), 1, false, false, "which does not exist"),
            (
                Flag::Paths(vec![(client, ca.to_owned())]),
                2,
                true,
                false,
                "set --cluster-signing-kubelet-client-cert-file=/etc/kubernetes/pki/ca-signer.crt",
            ),
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
            let notices = node.notices();
            assert_eq!(notices.is_empty(), said.is_empty(), "{node:?}");
            assert!(notices.join("\n").contains(said), "{node:?}");
        }
    }
}
