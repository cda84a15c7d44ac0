//! One row of the catalogue, and the words it is made of.

use super::releases::Organization;
use crate::blueprint::ExtendedKeyUsage;

/// The certificate authorities, by kubeadm's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaId {
    Cluster,
    FrontProxy,
    Etcd,
}

impl CaId {
    pub const ALL: [Self; 3] = [Self::Cluster, Self::FrontProxy, Self::Etcd];

    /// Each with each, once.
    pub const PAIRS: [(Self, Self); 3] =
        [(Self::Cluster, Self::FrontProxy), (Self::Cluster, Self::Etcd), (Self::FrontProxy, Self::Etcd)];

    /// The name of its entry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cluster => "ca",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd-ca",
        }
    }

    /// The path of its certificate below the pki directory, without `.crt`.
    pub const fn stem(self) -> &'static str {
        match self {
            Self::Cluster => "ca",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd/ca",
        }
    }

    /// The CN, which is also its one DNS name (kubeadm certs/certlist.go).
    pub const fn common_name(self) -> &'static str {
        match self {
            Self::Cluster => "kubernetes",
            Self::FrontProxy => "front-proxy-ca",
            Self::Etcd => "etcd-ca",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|authority| authority.name() == name)
    }
}

/// Where an entry is and in which containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// `pki/STEM.crt` and `pki/STEM.key`.
    Pair(&'static str),
    /// `pki/sa.key` and `pki/sa.pub`: no certificate.
    KeyPair(&'static str),
    /// `NAME` beside pki/, credentials embedded.
    Kubeconfig(&'static str),
    /// `STEM.crt` and `STEM.key` in the kubelet's own directory.
    KubeletPair(&'static str),
}

/// The CN and O of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A CA: its own name and the profile's subject attributes.
    Authority(CaId),
    /// CN, and O by release (see [`super::releases`]).
    Fixed(&'static str, Organization),
    /// CN is the node's name.
    NodeName,
    /// CN `system:node:NAME`, O `system:nodes`: what the node authorizer and the kubelet-serving signer want.
    Node,
    /// No certificate.
    None,
}

/// Which names a certificate is valid for (kubeadm pkiutil/pki_helpers.go).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sans {
    None,
    /// The CA's own common name.
    Authority,
    ApiServer,
    EtcdServer,
    EtcdPeer,
    /// The node's names and addresses.
    Kubelet,
}

/// Which API server a kubeconfig talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// controlPlaneEndpoint, or the node's own address when there is none.
    ControlPlane,
    /// The node's own API server.
    Local,
    /// The node's own from 1.33 on for a control-plane node, controlPlaneEndpoint before and for others.
    Kubelet,
    /// Not a kubeconfig.
    None,
}

/// Which nodes hold an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holders {
    /// Control-plane nodes.
    ControlPlane,
    /// The first control-plane node only (kubeadm: `init` writes it, `join` does not).
    FirstControlPlane,
    /// Nodes that run an etcd member.
    EtcdMembers,
    /// Control-plane nodes and etcd members.
    ControlPlaneAndEtcd,
    /// Nodes with a kubelet: all but load balancers.
    Kubelets,
    /// Every node.
    All,
}

/// One row of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// kubeadm's name for it (`apiserver`, `admin.conf`); ours for what kubeadm leaves out.
    pub name: &'static str,
    pub files: Files,
    /// Who signs it; `None`: it signs itself, or is no certificate.
    pub signer: Option<CaId>,
    pub subject: Subject,
    pub sans: Sans,
    /// extKeyUsage in kubeadm's order; empty for CAs and keys.
    pub usages: &'static [ExtendedKeyUsage],
    pub server: Server,
    pub holders: Holders,
    /// Part of the etcd cluster that kubeadm runs: absent when etcd is external.
    pub etcd: bool,
    /// kubeadm's long name, as in its messages.
    pub description: &'static str,
}

impl Entry {
    /// The authority this entry is, if it is one.
    pub fn authority(&self) -> Option<CaId> {
        match self.subject {
            Subject::Authority(authority) => Some(authority),
            _ => None,
        }
    }
}
