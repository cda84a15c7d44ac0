//! What the command line and the machine add to a document.

use std::net::IpAddr;

/// kpki's own kind states everything itself and takes `kubelet_serving` only.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// For kubeadm's documents: the node's name when nothing else states it.
    pub hostname: Option<String>,
    pub node_name: Option<String>,
    pub advertise_address: Option<IpAddr>,
    pub kubelet_serving: Option<bool>,
}
