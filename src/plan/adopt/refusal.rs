//! Why nodes cannot be adopted. Each names the file or the node, what was expected and what was found.

use crate::ca::CaError;
use crate::catalog::CaId;
use crate::encoding::key::KeyError;
use crate::encoding::shown::named;
use crate::plan::decision::Unreadable;
use crate::x509::{BundleError, PathError};

/// Files are called as messages call them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}: expected a node's /etc/kubernetes with pki/ca.crt or ssl/ca.crt, found neither")]
    NotANode(String),
    #[error("{0}: expected a node's /etc/kubernetes, found a cluster directory")]
    ClusterDirectory(String),
    /// A flag of a component names files that are not among those of a node.
    #[error("{file}: its certificates are in {}, outside /etc/kubernetes", named(.found))]
    Elsewhere { file: String, found: String },
    #[error("{0}: expected the node's name in kubelet.conf, etcd's certificate or its manifest, found none")]
    NoName(String),
    #[error("{input}: expected one node's files, found those of {}", list(.found))]
    Names { input: String, found: Vec<(String, String)> },
    #[error("{input}: stated as {stated}, but its files are of {}", list(.found))]
    OtherName { input: String, stated: String, found: Vec<(String, String)> },
    #[error("{input}: expected a node's name (a lower-case DNS name, RFC 1123), found {}", named(.found))]
    BadName { input: String, found: String },
    #[error("{first} and {second}: both are {name}")]
    Twice { name: String, first: String, second: String },
    #[error("expected at least one control-plane node (with apiserver.crt), found none")]
    NoControlPlane,
    #[error("{first} and {second}: one node has its certificates in {one}/, the other in {other}/")]
    OtherDirectory { first: String, second: String, one: String, other: String },
    #[error("{file}: {why}")]
    Authority { file: String, why: BundleError },
    #[error("{first} and {second}: two different authorities {}: these nodes are not of one cluster", .authority.name())]
    OtherAuthority { authority: CaId, first: String, second: String },
    #[error("{file}: the key cannot be read: {why}")]
    Key { file: String, why: CaError },
    #[error("{0}: the key does not match the certificate beside it")]
    KeyMismatch(String),
    #[error("{first} and {second}: two different service account keys: these nodes are not of one cluster")]
    OtherServiceAccount { first: String, second: String },
    #[error("{file}: cannot be read: {why}")]
    File { file: String, why: Unreadable },
    #[error("{file}: not signed by the cluster's {}: {why}", .authority.name())]
    Foreign { file: String, authority: CaId, why: PathError },
    #[error("{0}: its certificate-authority-data is not the cluster's ca")]
    ForeignAuthorityData(String),
    #[error("{0}: a private key in a file that everybody may read")]
    PublicKeyFile(String),
    #[error(
        "{0}: expected the address of a control-plane node or etcd member in its certificates or manifests, found none"
    )]
    NoAddress(String),
    #[error(
        "the etcd of this cluster is on no control-plane node, and no manifest of the API server names its endpoints"
    )]
    NoEtcd,
    /// The profile that the files give cannot be one.
    #[error("these nodes give no valid profile: {0}")]
    Profile(String),
    #[error("the profile has no node {name}; it has {known}")]
    NotInProfile { name: String, known: String },
    #[error("the profile's certificatesDir is {wanted}, the nodes have theirs in {found}")]
    CertificatesDir { wanted: String, found: String },
}

fn list(found: &[(String, String)]) -> String {
    found.iter().map(|(name, file)| format!("{} ({file})", named(name))).collect::<Vec<_>>().join(", ")
}

impl Refusal {
    /// Whether it is so because of another one.
    pub fn follows(&self, cause: &Self) -> bool {
        let Self::OtherAuthority { authority: other, .. } = cause else { return false };
        match self {
            Self::Foreign { authority, .. } => authority == other,
            Self::ForeignAuthorityData(_) => *other == CaId::Cluster,
            _ => false,
        }
    }

    /// What helps.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NotANode(_) => {
                "give a node's /etc/kubernetes, a root with etc/kubernetes in it, or a tar file of one: on the node, \
                 tar -czf NODE.tar.gz -C / etc/kubernetes var/lib/kubelet/pki"
            }
            Self::ClusterDirectory(_) => "give one node's directory",
            Self::Elsewhere { .. } => "adopt nodes that keep their certificates below /etc/kubernetes",
            Self::NoName(_) => "state it: NAME=PATH",
            Self::Names { .. } | Self::OtherName { .. } => {
                "give each node's own files, or state whose they are: NAME=PATH"
            }
            Self::BadName { .. } => "state it in lower case: NAME=PATH",
            Self::Twice { .. } => "give each node once",
            Self::NoControlPlane => "add the files of a control-plane node",
            Self::OtherDirectory { .. } => "adopt nodes of one layout",
            Self::Key { why: CaError::Key(KeyError::Encrypted), .. } => {
                "nodes read their keys in plain: open it (kpki convert ca.key --to pkcs8 --password-file FILE --out KEY) and put KEY in its \
                 place, or remove an authority's key there; in the cluster directory, with caKeys: none, kpki key protect encrypts it"
            }
            Self::Authority { .. } | Self::File { .. } | Self::Key { .. } => {
                "replace the file on the node, or remove it there"
            }
            Self::OtherAuthority { .. } | Self::OtherServiceAccount { .. } => "give the nodes of one cluster",
            Self::KeyMismatch(_) => "put the matching key back on the node",
            Self::Foreign { .. } | Self::ForeignAuthorityData(_) => {
                "give the nodes of one cluster, or have the certificate issued again on the node first"
            }
            Self::PublicKeyFile(_) => "leave only the certificate in that file",
            Self::NoAddress(_) | Self::Profile(_) => "write the profile yourself and give it with --profile FILE",
            Self::NoEtcd => "add manifests/kube-apiserver.yaml or the etcd members, or give --profile FILE",
            Self::NotInProfile { .. } => "add the node to the profile",
            Self::CertificatesDir { .. } => "correct certificatesDir in the profile",
        }
    }
}
