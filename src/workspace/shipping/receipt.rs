//! A receipt: what is in force on a node, as the node itself sees it, without any secret. `kpki unpack` and `kpki export
//! --verify --receipt` print it; the safe host keeps the last one of each node in `.kpki/nodes/NODE.json`.

use serde::{Deserialize, Serialize};

use super::digest::Sha256;
use super::manifest::{ApiVersion, Issue};
use crate::plan::running;
use crate::store::JsonError;
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
    /// How many older lines than these there are.
    #[serde(default)]
    pub journal_left_out: u64,
}

/// The most lines of a journal in a receipt: with them a receipt stays well below [`LARGEST`].
pub const MOST_LINES: usize = 4096;
/// In bytes.
pub const LARGEST: u64 = 8 << 20;

impl Receipt {
    pub fn render(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// From JSON, of at most [`LARGEST`] bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        Ok(serde_json::from_slice(bytes)?)
    }
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
    /// What a kubeconfig trusts: its certificate-authority-data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority_data: Vec<Sha256>,
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
    /// When the newest of its files was put in place: their ctime. A file's mtime says when it was made, and tar brings it along.
    pub changed: Option<String>,
    /// It is older than its files, and reads all of those that are newer again by itself: no restart is needed for them.
    #[serde(default)]
    pub rereads: bool,
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

impl From<running::Running> for Running {
    fn from(judged: running::Running) -> Self {
        match judged {
            running::Running::Yes => Self::Yes,
            running::Running::No => Self::No,
            running::Running::Unknown => Self::Unknown,
        }
    }
}
