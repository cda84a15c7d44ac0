//! Where kubeadm and the kubelet keep a node's files unless they are configured otherwise.

/// kubeadm's directory.
pub const DEFAULT_DIR: &str = "/etc/kubernetes";
/// kubeadm's certificatesDir.
pub const DEFAULT_CERTIFICATES_DIR: &str = "/etc/kubernetes/pki";
/// The certificate that signs, alone, beside ca.crt: its entry's name and its file. kube-controller-manager's
/// `--cluster-signing-cert-file` accepts exactly one.
pub const SIGNER_ENTRY: &str = "ca-signer";
pub const SIGNER_FILE: &str = "ca-signer.crt";
/// The new authority and the one that is trusted no more, beside ca.crt, for kube-controller-manager's `--root-ca-file` alone.
pub const TRUST_FILE: &str = "ca-trust.crt";
/// Optional: who has removed it meant to.
pub const SUPER_ADMIN_CONF: &str = "super-admin.conf";
/// The kubelet's kubeconfig, below kubeadm's directory.
pub const KUBELET_CONF: &str = "kubelet.conf";
/// The kubelet's serving pair: its entry's name.
pub const KUBELET_SERVING: &str = "kubelet-serving";
/// The kubelet's client certificate with its key, below its directory, from its first rotation on.
pub const ROTATED_CLIENT: &str = "kubelet-client-current.pem";
/// Lets kubelet.conf point to that file.
pub const FINALIZE: &str = "kubeadm init phase kubelet-finalize all";
/// The kubelet's --cert-dir.
pub const DEFAULT_KUBELET_DIR: &str = "/var/lib/kubelet/pki";

/// `PREFIX/var/lib/kubelet/pki` for `PREFIX/etc/kubernetes`; `None`: `main` has another end, and the kubelet's files are in
/// `main/kubelet`. The kubelet's pair of a tree that was made there before stays there: whoever asks has looked for it.
pub fn kubelet_dir_beside(main: &str) -> Option<String> {
    let prefix = main.trim_end_matches('/').strip_suffix(DEFAULT_DIR)?;
    Some(format!("{prefix}{DEFAULT_KUBELET_DIR}"))
}

/// The certificate in a tree's own directory that shows that the kubelet's files are there.
pub const KUBELET_CERTIFICATE: &str = "kubelet/kubelet.crt";
