//! What lies in a tree, a file or any directory: certificates, CRLs and what they say, as slim facts. Reads only, never a
//! key, never a network; one unreadable file never hides the others.

mod content;
mod expected;
mod facts;
mod fleet;
mod kubeconfigs;
mod lists;
mod load;
mod object;
mod request;
mod revoked;
mod secret;
#[cfg(test)]
mod tests;
mod tree;
mod walk;

pub use content::{ParsedObject, objects};
pub use fleet::{all, fleet};
pub use lists::{lists, walk as walk_list};
pub use request::{Form, Request, requests};
pub use secret::{Part, parts as secrets};

use std::path::Path;

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::revocation::Revoked;

/// One thing with an end: a certificate or a CRL, expected by the catalogue or found by walking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// kubeadm's name (`apiserver`, `admin.conf`), the profile's for an extra certificate, else the file's path below its root.
    pub name: String,
    pub path: String,
    pub kind: Kind,
    /// Position in its file, from 0; a bundle's certificates are several items.
    pub position: usize,
    /// Which of the tree's authorities signs it, where the catalogue says so.
    pub authority: Option<CaId>,
    /// Missing is no finding (super-admin.conf on a joined node, a CRL).
    pub optional: bool,
    /// kubeadm's EXTERNALLY MANAGED: the signer's key is not in the tree.
    pub externally_managed: bool,
    pub reading: Reading,
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
    /// The certificate in a kubernetes.io/tls Secret manifest.
    Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Expected, but not there.
    Missing,
    /// There, but no certificate could be had from it: why, in the house voice.
    Unreadable(String),
    Certificate(Box<CertificateFacts>),
    Crl(Box<CrlFacts>),
}

/// What the checks and reports need of a certificate; the DER is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// As `blueprint::Name` prints it.
    pub subject: String,
    pub issuer: String,
    /// Attributes by short name for metrics: (C, ST, L, O, OU, CN), first value each, of subject and issuer.
    pub subject_attributes: Attributes,
    pub issuer_attributes: Attributes,
    pub sans: Vec<String>,
    pub usages: Vec<String>,
    pub is_ca: bool,
    /// Lower-case hexadecimal, as `Certificate::serial_hex`; and decimal for metrics.
    pub serial: String,
    pub serial_decimal: String,
    pub algorithm: String,
    pub fingerprint: [u8; 32],
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// The end of the authority that signed it, where the tree has it.
    pub issuer_not_after: Option<OffsetDateTime>,
    /// What the list beside its authority says of it: a list the authority signed, fresh or not.
    pub revoked: Option<Box<Revoked>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    pub c: String,
    pub st: String,
    pub l: String,
    pub o: String,
    pub ou: String,
    pub cn: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlFacts {
    pub issuer: String,
    pub issuer_attributes: Attributes,
    /// crlNumber in decimal (RFC 5280 section 5.2.3), if it has one.
    pub number: Option<String>,
    pub this_update: OffsetDateTime,
    /// Its end; a CRL without nextUpdate never goes stale.
    pub next_update: Option<OffsetDateTime>,
    pub entries: u64,
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
}

/// Everything a request names, as it is now. Never fails: what cannot be read is an item that says so.
pub fn tree(request: &Request<'_>) -> Tree {
    match request.form {
        Form::Node | Form::Shared => tree::read(request),
        Form::Directory => walk::directory(&request.root),
        Form::File => walk::file(&request.root),
    }
}

/// Every certificate, CRL, kubeconfig and Secret manifest in a directory, whatever the names; trees of kubeadm's shape in it
/// are left to [`requests`].
pub fn walk(root: &Path) -> Tree {
    walk::directory(root)
}
