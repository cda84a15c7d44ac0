//! One item of a tree.

use crate::blueprint::Algorithm;
use crate::catalog::{CaId, Entry};
use crate::kubeconfig::{self, ClientKey, Kubeconfig, Pending, Read};
use crate::profile::{ExtraCertificate, IssuerOptions, Profile};
use crate::tree::EntryId;
use crate::tree::layout::Place;
use zeroize::Zeroizing;

/// One item of a tree: a certificate, key pair or kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The node's name where the layout has several, and kubeadm's name, or the profile's for an extra certificate.
    pub id: EntryId,
    /// The node whose names it carries; `None` for what is shared.
    pub home: Option<String>,
    pub what: What,
    /// The certificate, public key or kubeconfig.
    pub public: Place,
    /// The private key, where it is a file of its own.
    pub private: Option<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Authority(CaId),
    /// The service account key pair.
    ServiceAccount(Algorithm),
    Leaf(&'static Entry),
    Extra(ExtraCertificate),
    Kubeconfig(&'static Entry, Access),
    /// The first certificate of another item's file alone.
    SignerFile {
        of: usize,
    },
    /// A copy of a shared item for one node, with or without its key.
    Copy {
        of: usize,
    },
}

/// The contents of a kubeconfig besides its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    pub cluster: String,
    pub user: String,
    pub server: String,
    /// Print `preferences: {}` (kubeadm up to 1.33).
    pub preferences: bool,
}

impl Access {
    /// The kubeconfig with these in it, all PEM.
    pub fn kubeconfig(&self, authority: &str, certificate: &str, key: &str) -> Zeroizing<String> {
        kubeconfig::render(&Kubeconfig {
            cluster: &self.cluster,
            user: &self.user,
            server: &self.server,
            authority,
            certificate,
            key: ClientKey::Data(key),
            preferences: self.preferences,
        })
    }
}

impl What {
    pub const fn authority(&self) -> Option<CaId> {
        match self {
            Self::Authority(authority) => Some(*authority),
            _ => None,
        }
    }

    /// The contents of a kubeconfig besides its credentials.
    pub fn access(&self) -> Option<&Access> {
        match self {
            Self::Kubeconfig(_, access) => Some(access),
            _ => None,
        }
    }
}

impl From<Read> for Access {
    fn from(read: Read) -> Self {
        Self { cluster: read.cluster, user: read.user, server: read.server, preferences: false }
    }
}

impl From<Pending> for Access {
    fn from(pending: Pending) -> Self {
        Self { cluster: pending.cluster, user: pending.user, server: pending.server, preferences: false }
    }
}

impl Item {
    /// Where its files are.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.public).chain(&self.private)
    }

    /// Which of the tree's authorities signs it.
    pub fn signer(&self) -> Option<CaId> {
        match &self.what {
            What::Leaf(entry) | What::Kubeconfig(entry, _) => entry.signer,
            What::Extra(extra) => extra.authority.in_tree(),
            What::Authority(_) | What::ServiceAccount(_) | What::SignerFile { .. } | What::Copy { .. } => None,
        }
    }

    /// The program that has its certificate issued, where nobody here signs it.
    pub fn issuer<'a>(&'a self, profile: &'a Profile) -> Option<&'a IssuerOptions> {
        match (&self.what, self.signer()) {
            (_, Some(authority)) => profile.issuer(authority),
            (What::Extra(extra), None) => extra.issuer.as_ref(),
            (_, None) => None,
        }
    }
}

/// Whether `private` may be read by others: never. `public` is secret when it embeds a key, and sa.pub goes through
/// kubeadm's key writer (kubeadm-behaviour section 1.6).
pub fn public_mode(what: &What) -> u32 {
    match what {
        What::Kubeconfig(..) | What::ServiceAccount(_) => 0o600,
        _ => 0o644,
    }
}
