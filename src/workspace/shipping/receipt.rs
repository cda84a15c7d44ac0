//! A receipt: what is in force on a node, as the node itself sees it, without any secret. `kpki unpack` and `kpki export
//! --verify --receipt` print it; the safe host keeps the last one of each node in `.kpki/nodes/NODE.json`.

use serde::{Deserialize, Serialize};

use super::digest::Sha256;
use super::manifest::{ApiVersion, Issue};
use crate::workspace::journal::Line;

/// The receipt of one node. Instants are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    #[serde(default)]
    pub api_version: ApiVersion,
    pub kind: Kind,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    pub node: String,
    /// When it was made.
    pub time: String,
    /// What the archive said that was unpacked last; `None`: none was, or one of 0.1.0.
    pub issue: Option<Issue>,
    /// When that was, by the node's clock; `None`: with tar, or never.
    pub unpacked: Option<String>,
    /// The generation that keeps what was replaced then.
    pub generation: Option<String>,
    pub entries: Vec<Held>,
    pub lists: Vec<HeldList>,
    /// The kubelet's own client certificate, kubelet-client-current.pem; `None`: there is none.
    pub kubelet_client: Option<KubeletClient>,
    /// The value of `--cluster-signing-cert-file` in the manifest of kube-controller-manager; `None`: it is not set, or there
    /// is no manifest.
    pub signing_file: Option<String>,
    pub components: Vec<Component>,
    /// Lines of the node's own journal: what was issued and revoked there, and not brought there by an archive.
    pub journal: Vec<Line>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    #[default]
    NodeReceipt,
}

/// One entry on the node: a bundle, a pair, a kubeconfig or sa.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    pub entry: String,
    /// Absolute, on the node.
    pub path: String,
    pub certificates: Vec<Sha256>,
    pub public_key: Option<Sha256>,
    /// notBefore of its first certificate.
    pub not_before: Option<String>,
    pub not_after: Option<String>,
    /// Whether its private key is there.
    pub key: bool,
}

/// A CRL on the node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldList {
    /// The authority's entry: ca, front-proxy-ca, etcd-ca.
    pub authority: String,
    /// Absolute, on the node.
    pub path: String,
    pub fingerprint: Sha256,
    /// Decimal.
    pub number: Option<String>,
    pub this_update: String,
    pub next_update: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KubeletClient {
    pub fingerprint: Sha256,
    pub issuer: String,
    /// Its authorityKeyIdentifier, lower-case hexadecimal.
    pub issuer_key_id: Option<String>,
    pub not_after: String,
}

/// Whether a component has read the files that are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Component {
    /// As in `catalog::readers::COMPONENTS`.
    pub component: String,
    pub running: Running,
    /// When the oldest of its processes started.
    pub started: Option<String>,
    /// When the newest of its files was put in place: their ctime, or when the archive was unpacked.
    pub changed: Option<String>,
}

/// Whether every process of a component that is root's started after the last change of the files that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Running {
    Yes,
    No,
    /// No process of it is visible.
    Unknown,
}
