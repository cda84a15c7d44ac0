//! Places to ask, and those that are not.

use crate::catalog::endpoints::Listener;
use crate::live::Peer;
use crate::tree::EntryId;

/// One place to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// What is served there; without a node: any node's.
    pub id: EntryId,
    /// `None`: an extra certificate, of a program that is not the cluster's.
    pub listener: Option<&'static Listener>,
    pub peer: Peer,
    pub source: Source,
}

/// Who says that it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The profile's node.
    Node,
    Loopback,
    ControlPlaneEndpoint,
    /// `--endpoint`.
    Given,
    /// A kubeconfig or manifest, by its path.
    File(String),
    /// etcd.external of the profile.
    ExternalEtcd,
}

/// A place that is not asked, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub id: EntryId,
    /// `None`: none is known.
    pub peer: Option<Peer>,
    /// The file that names it.
    pub path: Option<String>,
}

/// Every place of a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub asked: Vec<Endpoint>,
    pub skipped: Vec<Skipped>,
    /// They listen on loopback of nodes that are not this machine.
    pub elsewhere: Vec<EntryId>,
}
