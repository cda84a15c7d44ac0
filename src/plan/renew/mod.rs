//! What a renewal does with each certificate of a tree. Pure: bytes, a profile or none, and an instant in; decisions out.
//!
//! A certificate's identity is what the one on disk says: subject, names, usages, kind of key, lifetime. A profile adds names
//! that are missing, and its own algorithm and lifetime where it states them. Nothing is renewed that this tree's authorities
//! did not sign.

mod ask;
mod context;
mod credentials;
mod decide;
mod identity;
mod reasons;
mod refusals;
mod revoked;
#[cfg(test)]
mod tests;
mod wanted;

use time::{Duration, OffsetDateTime};

use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, Name, Oid, San};
use crate::ca::{CaError, PrivateKey};
use crate::catalog::{CaId, Entry};
use crate::plan::decision::Unreadable;
use crate::plan::item::{Access, What};
use crate::profile::{Profile, Window};
use crate::tree::{Authority, EntryId, Place, Unusable};
use crate::x509::{Certificate, OtherKey, PathError};

pub use ask::{CsrDecision, CsrTemplate, ask, ask_authority};
pub use credentials::{authority_copies, of_catalogue, of_profile};
pub use decide::decide;
pub use identity::YEAR;
pub use refusals::{collect_refusals, other_authorities, refuse_foreign_ca};
pub use revoked::{certificate_of, rules_for, with_revocation_reason};

/// A certificate with its key: two files, or a kubeconfig's.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The node's name in a cluster directory, and kubeadm's name, or the profile's for an extra certificate.
    pub id: EntryId,
    pub entry: Option<&'static Entry>,
    pub authority: CaId,
    /// The certificate, or the kubeconfig.
    pub public: Place,
    /// The key; `None`: a kubeconfig embeds it.
    pub private: Option<Place>,
    /// What the profile makes of it, and for which node; `None`: no profile speaks of it.
    pub wanted: Option<(What, String)>,
    /// `--all` and `--due` make it anew when it is missing. Not so for super-admin.conf: who removed it meant to.
    pub replenished: bool,
}

impl Credential {
    pub const fn is_kubeconfig(&self) -> bool {
        self.private.is_none()
    }

    /// Where its files are.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.public).chain(&self.private)
    }
}

/// How to go about it.
#[derive(Debug)]
pub struct Rules<'a> {
    pub profile: Option<&'a Profile>,
    pub now: OffsetDateTime,
    /// Only what is due; the window is `renewal.before`.
    pub due: Option<Window>,
    /// They were named one by one: nothing is passed over in silence.
    pub named: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
}

/// What is to happen to one credential.
#[derive(Debug)]
pub enum Decision {
    /// It is there and not due.
    Keep(Box<Certificate>),
    Renew(Box<Renewal>),
    /// It stays as it is, and why; the certificate that lies there, if one does.
    Skipped(Skipped, Option<Box<Certificate>>),
    /// It is not there, and nobody misses it.
    Absent,
}

/// One certificate to be made.
#[derive(Debug)]
pub struct Renewal {
    /// Never empty.
    pub reasons: Vec<Reason>,
    pub old: Option<Box<Certificate>>,
    pub blueprint: Blueprint,
    pub algorithm: Algorithm,
    pub key: Key,
    pub names: Names,
    /// Certificates behind the leaf in its file, which stay there.
    pub chain: Vec<Certificate>,
    /// When it would have ended, had its authority not ended sooner.
    pub shortened: Option<OffsetDateTime>,
    /// How long it lives, with what it is dated back, where that is a guess.
    pub guessed: Option<Duration>,
    /// The CN it keeps, and the one it should have.
    pub other_name: Option<(String, String)>,
    /// Extensions of the old certificate that the new one does not have.
    pub dropped: Vec<Oid>,
    pub kubeconfig: Option<Kubeconfig>,
}

/// What is done to a kubeconfig.
#[derive(Debug)]
pub enum Kubeconfig {
    /// Only the credential is replaced; `authority`: the CA data as well.
    Edit {
        authority: bool,
    },
    New(Access),
}

#[derive(Debug)]
pub enum Key {
    New,
    /// `--reuse-key`.
    Same(Box<PrivateKey>),
}

/// What becomes of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub added: Vec<San>,
    pub removed: Vec<San>,
    /// The profile does not ask for them; they are kept.
    pub surplus: Vec<San>,
}

/// Why a certificate is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It was named, without `--due`.
    Requested,
    Window {
        left: Duration,
    },
    Expired(OffsetDateTime),
    /// It begins later: made under a wrong clock.
    NotYetValid(OffsetDateTime),
    /// Its authority's list names it.
    Revoked(OffsetDateTime),
    Missing,
    KeyMissing,
    KeyUnreadable(CaError),
    KeyMismatch,
    Unreadable(Unreadable),
    /// The profile asks for names it does not carry.
    MissingNames(Vec<San>),
    /// It carries names the profile does not ask for (`--prune-sans`).
    SurplusNames(Vec<San>),
    /// It is not good for what it is used for.
    MissingUsages(Vec<ExtendedKeyUsage>),
    /// Signed by an authority that the tree still trusts but that does not sign any more.
    EarlierAuthority(Name),
    /// An intermediate between it and its authority has expired, or is not valid yet.
    Path(PathError),
    /// A kubeconfig's certificate-authority-data is not ca.crt.
    AuthorityData,
}

/// Why a certificate is left as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skipped {
    /// The authority's key is not here.
    External(CaId),
    AuthorityMissing(CaId),
    /// Signed by somebody this tree does not know.
    NotOurs(Name),
    /// The kubelet made it for itself.
    KubeletsOwn,
    /// kubelet.conf points to the certificate that the kubelet rotates.
    KubeletRotates(String),
    /// A kubeconfig that names files.
    CredentialFiles(String),
    Unreadable(Unreadable),
    /// Nothing lies there, and neither profile nor catalogue says what it would be.
    Unknown,
    /// It is not there; it is made when it is named.
    NotReplenished,
    /// A kind of key kpki does not make.
    OtherKey(OtherKey),
    IsAuthority,
    /// The authority ends when this certificate does: a new one would end no later.
    AuthorityEnds(CaId, OffsetDateTime),
    /// It could not be renewed, and others could.
    Refused(Refusal),
}

impl Skipped {
    /// Something that should have been renewed was not: the exit status says so.
    pub const fn is_gap(&self) -> bool {
        !matches!(self, Self::KubeletsOwn | Self::KubeletRotates(_) | Self::CredentialFiles(_) | Self::NotReplenished)
    }
}

/// What makes a renewal impossible: of the whole run, where everything is concerned or was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    AuthorityExpired {
        authority: CaId,
        not_after: OffsetDateTime,
    },
    AuthorityNotYetValid {
        authority: CaId,
        not_before: OffsetDateTime,
    },
    AuthorityUnusable {
        authority: CaId,
        why: Unusable,
    },
    /// A node's copy of an authority is another one: what is signed here would not be trusted there.
    OtherAuthority {
        node: String,
        authority: CaId,
    },
    /// It would be due again as soon as it is made.
    WindowTooWide {
        item: String,
        window: Window,
        lifetime: Duration,
    },
}

/// Why an authority that is there cannot sign now.
pub fn refusal(id: CaId, authority: &Authority, now: OffsetDateTime) -> Option<Refusal> {
    if let Authority::Unusable(why) = authority {
        return Some(Refusal::AuthorityUnusable { authority: id, why: why.clone() });
    }
    let Certificate { not_before, not_after, .. } = *authority.certificate().filter(|_| authority.is_local())?;
    if not_after < now {
        return Some(Refusal::AuthorityExpired { authority: id, not_after });
    }
    (now < not_before).then_some(Refusal::AuthorityNotYetValid { authority: id, not_before })
}
