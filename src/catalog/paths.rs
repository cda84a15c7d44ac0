//! Where kubeadm and the kubelet keep a node's files unless they are configured otherwise.

/// kubeadm's directory.
pub const DEFAULT_DIR: &str = "/etc/kubernetes";
/// kubeadm's certificatesDir.
pub const DEFAULT_CERTIFICATES_DIR: &str = "/etc/kubernetes/pki";
/// The certificate that signs, alone, beside ca.crt: its entry's name and its file. kube-controller-manager's
/// `--cluster-signing-cert-file` accepts exactly one.
pub const SIGNER_ENTRY: &str = "ca-signer";
pub const SIGNER_FILE: &str = "ca-signer.crt";
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
