//! Where kubeadm and the kubelet keep a node's files unless they are configured otherwise.

/// kubeadm's directory.
pub const DEFAULT_DIR: &str = "/etc/kubernetes";
/// kubeadm's certificatesDir.
pub const DEFAULT_CERTIFICATES_DIR: &str = "/etc/kubernetes/pki";
/// The kubelet's --cert-dir.
pub const DEFAULT_KUBELET_DIR: &str = "/var/lib/kubelet/pki";
