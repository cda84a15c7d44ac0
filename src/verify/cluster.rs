//! What is judged: every file of one cluster as values.

use std::fmt;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::layouts::Layout;
use crate::catalog::CaId;
use crate::catalog::paths::KUBELET_SERVING;
use crate::catalog::releases::KnownRelease;
use crate::encoding::key_public::Half;
use crate::encoding::public_key::KeyKind;
use crate::profile::Profile;
use crate::store::ChainFaults;
use crate::tree::origin::Origin;
use crate::tree::rotation::Record;
use crate::x509::Certificate;

/// One cluster directory, or one node's kubernetes directory.
#[derive(Debug)]
pub struct Cluster<'a> {
    /// As it was given.
    pub root: String,
    pub profile: Option<&'a Profile>,
    /// Where a verb that repairs it finds its profile.
    pub origin: Origin,
    pub release: KnownRelease,
    /// Of another tool. Its certificates are nothing that kpki renews.
    pub layout: Option<&'static Layout>,
    /// Of a cluster directory what the nodes share comes first, with no node.
    pub trees: Vec<Tree>,
    /// Its rotations, as it records them.
    pub record: Record,
    /// `None`: it is not kpki's.
    pub journal: Option<Journal>,
    pub at: OffsetDateTime,
}

/// The journal of a tree of kpki's.
#[derive(Debug)]
pub struct Journal {
    pub path: String,
    pub content: JournalContent,
}

#[derive(Debug)]
pub enum JournalContent {
    /// What does not fit in its chain.
    Faults(ChainFaults),
    /// It cannot be looked at.
    Closed(String),
}

/// One node's files, or those that the nodes of a cluster directory share.
#[derive(Debug)]
pub struct Tree {
    pub root: String,
    /// `None`: the shared part of a cluster directory, or a node whose name is not known.
    pub node: Option<String>,
    /// The shared part of a cluster directory.
    pub is_shared: bool,
    /// One node's, in a cluster directory.
    pub in_cluster: bool,
    /// certificatesDir on the node, where that is outside /etc/kubernetes, and where it is here.
    pub certificates: Option<(String, String)>,
    /// Who owns its directory.
    pub owner: Option<u32>,
    pub files: Vec<File>,
}

/// One file at its place, whether it is there or not.
#[derive(Debug)]
pub struct File {
    /// The entry it belongs to: kubeadm's name, the profile's of an extra certificate; of a manifest its component.
    pub entry: String,
    pub part: Part,
    pub path: String,
    /// The authority of the tree that signs what is in it; of an authority's own file, itself.
    pub authority: Option<CaId>,
    /// Whether it must be there, as far as that is known.
    pub required: bool,
    /// `None`: it is not there, or it cannot be looked at.
    pub metadata: Option<Metadata>,
    pub content: Content,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Certificates of an entry that is no authority: the leaf first.
    Certificate,
    /// Certificates of an authority: a bundle.
    Authority,
    /// ca-signer.crt.
    SignerFile,
    /// A private key in a file of its own.
    Key,
    /// sa.pub.
    PublicKeys,
    Kubeconfig,
    /// What the kubelet rotates: certificate and key in one file.
    RotatedPair,
    /// A CRL as PEM.
    Crl,
    /// etcd's CRL in DER.
    CrlDer,
    /// A static pod's manifest.
    Manifest,
    /// `/var/lib/kubelet/config.yaml`.
    KubeletConfig,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits, `0o7777`, of what a symlink leads to.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// What a symlink says.
    pub link: Option<String>,
}

/// What is in a file.
#[derive(Debug)]
pub enum Content {
    Missing,
    /// It is there, and is not what it should be: what was expected and found.
    Broken(String),
    /// It is there, and cannot be looked at: a finding of its own kind, which is counted.
    Closed(String),
    Certificates {
        certificates: Vec<Certificate>,
        /// A private key stands in the same file.
        key: Option<Key>,
    },
    Key(Key),
    /// SubjectPublicKeyInfo of each.
    PublicKeys(Vec<Vec<u8>>),
    Kubeconfig(Box<Kubeconfig>),
    /// DER of each.
    Crls(Vec<Vec<u8>>),
    /// The text, which `manifest` and `plan::signer_file` read flags from.
    Text(Zeroizing<Vec<u8>>),
}

/// A private key, and whose it is.
#[derive(Debug)]
pub struct Key {
    /// `None`: it does not state it (encrypted, or of a kind that is not known).
    pub public: Option<Half>,
    pub kind: Option<KeyKind>,
    pub is_encrypted: bool,
    /// PEM, wiped after use.
    pub pem: Secret,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The current context of a kubeconfig.
#[derive(Debug)]
pub struct Kubeconfig {
    pub server: String,
    /// `None`: it is not the server's host.
    pub server_name: Option<String>,
    /// It does not verify the server.
    pub is_insecure: bool,
    /// CA data, or the file it names.
    pub authority: Vec<Certificate>,
    pub certificates: Vec<Certificate>,
    pub certificate_file: Option<String>,
    pub key: Option<Key>,
    /// Other ways to authenticate, by the field's name.
    pub others: Vec<&'static str>,
    /// Files it names that are on another machine.
    pub not_here: Vec<String>,
}

impl Tree {
    /// The file of an entry that is there.
    pub fn file(&self, entry: &str, part: Part) -> Option<&File> {
        self.files.iter().find(|file| file.entry == entry && file.part == part && file.is_there())
    }

    /// The certificates of an authority's file; empty: it is not there.
    pub fn authority(&self, authority: CaId) -> &[Certificate] {
        self.file(authority.name(), Part::Authority).map(File::certificates).unwrap_or_default()
    }
}

impl File {
    pub const fn is_there(&self) -> bool {
        !matches!(self.content, Content::Missing)
    }

    /// Its certificates; of a kubeconfig the client's.
    pub fn certificates(&self) -> &[Certificate] {
        match &self.content {
            Content::Certificates { certificates, .. } => certificates,
            Content::Kubeconfig(kubeconfig) => &kubeconfig.certificates,
            _ => &[],
        }
    }

    /// The private key in it.
    pub fn key(&self) -> Option<&Key> {
        match &self.content {
            Content::Certificates { key, .. } => key.as_ref(),
            Content::Kubeconfig(kubeconfig) => kubeconfig.key.as_ref(),
            Content::Key(key) => Some(key),
            _ => None,
        }
    }
}

impl Cluster<'_> {
    /// Another tool's, with names of its own.
    pub fn has_own_names(&self) -> bool {
        self.layout.is_some_and(|layout| !layout.is_kubeadms)
    }

    /// The certificates that a tree's readers trust for an authority: its own copy, else what the nodes share.
    pub fn trusted<'t>(&'t self, tree: &'t Tree, authority: CaId) -> &'t [Certificate] {
        let shared = || self.trees.iter().find(|tree| tree.is_shared).map(|tree| tree.authority(authority));
        Some(tree.authority(authority)).filter(|own| !own.is_empty()).or_else(shared).unwrap_or_default()
    }

    /// The key of a certificate: beside it, or in the same file.
    pub fn key_of<'t>(&'t self, tree: &'t Tree, file: &'t File) -> Option<&'t Key> {
        file.key().or_else(|| tree.file(&file.entry, Part::Key)?.key())
    }
}

/// As client-go's util/cert makes a kubelet's serving certificate: signed by itself, or by `NAME-ca@SECONDS`.
pub fn is_made_by_kubelet(chain: &[Certificate]) -> bool {
    let is_stamp = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    chain.first().is_some_and(|leaf| {
        let issuer = leaf.issuer.common_name().unwrap_or_default();
        leaf.is_self_issued() || issuer.rsplit_once("-ca@").is_some_and(|(_, stamp)| is_stamp(stamp))
    })
}

impl File {
    /// Nobody can verify it, and nothing of the cluster's says what is in it.
    pub fn is_made_by_kubelet(&self) -> bool {
        self.entry == KUBELET_SERVING && is_made_by_kubelet(self.certificates())
    }
}
