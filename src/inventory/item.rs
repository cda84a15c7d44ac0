//! What an inventory consists of: trees, and the certificates and CRLs in them.

use super::facts::{CertificateFacts, CrlFacts};
use super::unreadable::Unreadable;
use crate::catalog::CaId;

/// What a key is called beside what it belongs to: `apiserver[key]`.
pub const KEY: &str = "key";

/// One thing with an end: a certificate or a CRL, expected by the catalogue or found by walking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// kubeadm's name (`apiserver`, `admin.conf`), the profile's for an extra certificate, else the file's path below its root.
    pub name: String,
    pub path: String,
    pub kind: Kind,
    /// Position in its file, from 0; a bundle's certificates are several items.
    pub position: usize,
    /// Which of the tree's authorities signs it, if the catalogue knows it.
    pub authority: Option<CaId>,
    /// Missing is no finding (super-admin.conf on a joined node, a CRL).
    pub optional: bool,
    /// kubeadm's EXTERNALLY MANAGED: the signer's key is not in the tree.
    pub externally_managed: bool,
    /// A program has it issued, by the profile: `kpki renew` asks it.
    pub has_issuer: bool,
    pub reading: Reading,
}

impl Item {
    /// Whose key it is that is missing or of no use.
    pub fn owner_of_key(&self) -> Option<&str> {
        let is_pair = matches!(self.kind, Kind::Certificate | Kind::Authority);
        self.name.strip_suffix(']')?.strip_suffix(KEY)?.strip_suffix('[').filter(|_| is_pair)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An end entity's certificate.
    Certificate,
    /// A CA certificate.
    Authority,
    /// The client certificate of a kubeconfig.
    Kubeconfig,
    /// The CA embedded in a kubeconfig, where it is not the tree's own.
    KubeconfigAuthority,
    Crl,
    /// The certificate in the manifest of a Secret.
    Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Expected, but not there.
    Missing,
    /// It is there, but no certificate or CRL could be read from it.
    Unreadable(Unreadable),
    Certificate(Box<CertificateFacts>),
    Crl(Box<CrlFacts>),
}

/// Everything of one tree (one node's `/etc/kubernetes`), one file, or one walked directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The directory or file that was looked at.
    pub root: String,
    pub cluster: Option<String>,
    pub node: Option<String>,
    /// In the catalogue's order; walked ones by path.
    pub items: Vec<Item>,
    /// What was seen and is not judged, file by file.
    pub notes: Vec<String>,
}
