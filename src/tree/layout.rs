//! Which file goes where: a node's own `/etc/kubernetes`, or a cluster directory made on a safe host.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::catalog::paths::SIGNER_FILE;
pub use crate::catalog::paths::{DEFAULT_DIR, DEFAULT_KUBELET_DIR, KUBELET_CERTIFICATE, kubelet_dir_beside};
use crate::catalog::{CaId, Entry, Files};
use crate::files::{BadPath, RelPath};
use crate::profile::{CaKeys, GATHERED, Node, NodeRole, Profile};
use crate::store::{FileChange, RootId, Roots};

/// The shape of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// DIR is this node's `/etc/kubernetes`.
    Node { name: String },
    /// `DIR/pki` with the authorities and the sa keys, and `DIR/nodes/NAME/` with a ready `/etc/kubernetes` for each
    /// node.
    Cluster,
}

impl Layout {
    /// One node, or one chosen: its own tree. Several nodes, or CA keys that must not be on a node: a cluster
    /// directory.
    pub fn of(profile: &Profile, chosen: Option<&str>) -> Self {
        match (chosen, profile.nodes.as_slice()) {
            (Some(name), _) => Self::Node { name: name.to_owned() },
            (None, [only]) if profile.ca_keys == CaKeys::ControlPlane => Self::Node { name: only.name.clone() },
            _ => Self::Cluster,
        }
    }
}

/// One of the directories of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Root {
    /// DIR.
    Main,
    /// The kubelet's own directory, outside DIR.
    Kubelet,
    /// certificatesDir, outside DIR.
    Certificates,
}

/// A file's place: below a root, `/` between components.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub root: Root,
    pub path: String,
}

impl Place {
    fn main(path: String) -> Self {
        Self { root: Root::Main, path }
    }

    /// The root as the store knows it.
    pub const fn root_id(&self) -> RootId {
        match self.root {
            Root::Main => RootId::Main,
            Root::Kubelet => RootId::Kubelet,
            Root::Certificates => RootId::Certificates,
        }
    }

    /// The file's name with another end, beside it: `pki/ca.crl` for `pki/ca.crt`.
    #[must_use]
    pub fn with_end(&self, end: &str, new: &str) -> Self {
        let stem = self.path.strip_suffix(end).unwrap_or(&self.path);
        Self { root: self.root, path: format!("{stem}{new}") }
    }

    /// The path for messages: below DIR, or whole where it is outside.
    pub fn shown(&self, roots: &Roots) -> String {
        match roots.outside(self.root_id()) {
            Some(outside) => outside.join(&self.path).display().to_string(),
            None => self.path.clone(),
        }
    }

    /// The file, from the current directory.
    pub fn full(&self, roots: &Roots) -> PathBuf {
        roots.outside(self.root_id()).unwrap_or(&roots.main).join(&self.path)
    }

    /// A file at this place, which may replace another.
    ///
    /// # Errors
    /// The path is not below a root.
    pub fn change(&self, mode: u32, bytes: Zeroizing<Vec<u8>>) -> Result<FileChange, BadPath> {
        Ok(FileChange { root: self.root_id(), path: RelPath::parse(self.path.as_str())?, mode, bytes, replace: true })
    }
}

/// The directories a plan uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directories {
    /// The pki directory below a node's directory: `pki`, or as certificatesDir has it; `None`: it is outside DIR.
    pub pki: Option<String>,
    /// The kubelet's own directory below a node's directory; `None`: it is outside DIR.
    pub kubelet: Option<String>,
}

impl Directories {
    /// All of them below a node's directory, under their usual names.
    pub fn usual() -> Self {
        Self { pki: Some(GATHERED.to_owned()), kubelet: Some("kubelet".to_owned()) }
    }

    /// The base of a node's `/etc/kubernetes` below DIR: empty, or `nodes/NAME/`.
    pub fn base(layout: &Layout, node: &str) -> String {
        match layout {
            Layout::Node { .. } => String::new(),
            Layout::Cluster => format!("nodes/{node}/"),
        }
    }

    /// Certificate (or public key, or kubeconfig) and key of an entry below `base`.
    pub fn files(&self, base: &str, files: Files) -> (Place, Option<Place>) {
        match files {
            Files::Pair(stem) => self.pair(base, stem),
            Files::KeyPair(stem) => {
                (self.certificate(base, &format!("{stem}.pub")), Some(self.certificate(base, &format!("{stem}.key"))))
            }
            Files::Kubeconfig(name) => (Place::main(format!("{base}{name}")), None),
            Files::KubeletPair(stem) => {
                let (root, base) = match &self.kubelet {
                    None => (Root::Kubelet, String::new()),
                    Some(below) => (Root::Main, format!("{base}{below}/")),
                };
                let place = |end: &str| Place { root, path: format!("{base}{stem}.{end}") };
                (place("crt"), Some(place("key")))
            }
        }
    }

    /// A certificate and its key below the pki directory.
    pub fn pair(&self, base: &str, stem: &str) -> (Place, Option<Place>) {
        let place = |end: &str| self.certificate(base, &format!("{stem}.{end}"));
        (place("crt"), Some(place("key")))
    }

    /// A file in the pki directory.
    pub fn certificate(&self, base: &str, path: &str) -> Place {
        match &self.pki {
            Some(pki) => Place::main(format!("{base}{pki}/{path}")),
            None => Place { root: Root::Certificates, path: path.to_owned() },
        }
    }

    /// ca-signer.crt, beside ca.crt.
    pub fn signer_file(&self, base: &str) -> Place {
        self.certificate(base, SIGNER_FILE)
    }

    /// Certificate and key of an authority as the tree itself uses them.
    pub fn authority(&self, authority: CaId) -> (Place, Option<Place>) {
        self.pair("", authority.stem())
    }
}

/// Whether this node has this entry.
pub fn holds(profile: &Profile, node: &Node, entry: &Entry) -> bool {
    profile.holds(node, entry)
}

/// Whether the keys of the authorities are copied to this node.
pub fn holds_ca_keys(profile: &Profile, node: &Node) -> bool {
    profile.ca_keys == CaKeys::ControlPlane && node.is(NodeRole::ControlPlane)
}
