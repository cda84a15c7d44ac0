//! What of a node is read.

/// A larger file is no certificate, key or kubeconfig, in bytes.
pub const LARGEST_FILE: u64 = 1 << 20;
/// Directories below `/etc/kubernetes` that are not looked into: kpki's own state, which belongs to the node, and what kubeadm
/// puts aside.
pub const PASSED_OVER: [&str; 2] = [".kpki", "tmp"];
