//! What a renewal does with each certificate of a tree. Pure: bytes, a profile or none, and an instant in; decisions
//! out.
//!
//! A certificate's identity comes from the one on disk: subject, names, usages, key algorithm, lifetime. A profile adds
//! names that are missing, and its own algorithm and lifetime where it states them. Nothing is renewed that this tree's
//! authorities did not sign.

mod ask;
mod context;
mod credentials;
mod decide;
mod embedded;
mod external;
mod identity;
mod moved;
mod reasons;
mod refusals;
mod repairs;
mod revoked;
#[cfg(test)]
mod tests;
mod wanted;

use std::path::PathBuf;

use time::{Duration, OffsetDateTime};

use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, Name, Oid, San};
use crate::ca::{CaError, PrivateKey, SignerFault};
use crate::catalog::paths::KUBELET_CONF;
use crate::catalog::{CaId, Entry};
use crate::plan::decision::Unreadable;
use crate::plan::item::{Access, What};
use crate::plan::outside::Outside;
use crate::profile::{ExtraAuthority, IssuerOptions, MaxAge, Profile, Roots, Threshold};
use crate::tree::rotation::Kubelets;
use crate::tree::{Authority, EntryId, Place, Unusable};
use crate::x509::{Certificate, OtherKey, PathError};

pub use ask::{CsrDecision, CsrTemplate, ask, ask_authority};
pub use credentials::{authority_copies, of_catalogue, of_profile};
pub use decide::decide;
pub use identity::{Lifetime, YEAR, for_key, lifetime};
pub use moved::{not_before_its_tree, without_tree};
pub use refusals::{collect_refusals, other_authorities, refuse_foreign_ca};
pub use repairs::{Repair, Rewritten, kubeconfigs, signer_files};
pub use revoked::{certificate_of, rules_for, with_revocation_reason};

/// A certificate with its key: two files, or a kubeconfig's.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The node's name in a cluster directory, and kubeadm's name, or the profile's for an extra certificate.
    pub id: EntryId,
    pub entry: Option<&'static Entry>,
    /// `None`: an external one, that the tree does not know.
    pub authority: Option<CaId>,
    /// The certificate, or the kubeconfig.
    pub public: Place,
    /// The key; `None`: a kubeconfig embeds it.
    pub private: Option<Place>,
    /// Its blueprint in the profile, and the node; `None`: it is in no profile.
    pub wanted: Option<(What, String)>,
    /// `all` and `--due` make it again when it is missing. Not super-admin.conf: it is removed on purpose.
    pub replenished: bool,
    /// What a kubeconfig names instead of embedding it, outside the tree or with the key in the same file; and what the
    /// kubelet rotates beside a kubelet.conf that embeds its credential.
    pub elsewhere: Option<Elsewhere>,
    /// The kubeconfig that names this pair, which is in the tree.
    pub named_by: Option<Place>,
}

/// A certificate that a kubeconfig names and this tree does not renew.
#[derive(Debug, Clone)]
pub enum Elsewhere {
    Missing,
    Unreadable,
    Certificate(Box<Used>),
}

/// A certificate in use that a tree does not renew.
#[derive(Debug, Clone)]
pub struct Used {
    pub leaf: Certificate,
    /// Certificates behind it in its file.
    pub chain: Vec<Certificate>,
    /// Whether the key in the same file is its own; `None`: its key is in another.
    pub key: Option<bool>,
}

impl Credential {
    /// What the kubelet uses in place of what kubelet.conf embeds: its own, until that has expired.
    pub fn rotated(&self, now: OffsetDateTime) -> Option<&Certificate> {
        match &self.elsewhere {
            Some(Elsewhere::Certificate(used)) if self.id.name == KUBELET_CONF && used.leaf.not_after >= now => {
                Some(&used.leaf)
            }
            _ => None,
        }
    }

    /// The kubeconfig: itself, or the one that names it.
    pub fn conf(&self) -> Option<&Place> {
        if self.is_kubeconfig() { Some(&self.public) } else { self.named_by.as_ref() }
    }

    pub const fn is_kubeconfig(&self) -> bool {
        self.private.is_none()
    }

    /// The roots of an external authority's certificate.
    pub fn roots(&self) -> Option<&Roots> {
        match &self.wanted {
            Some((What::Extra(extra), _)) => match &extra.authority {
                ExtraAuthority::External(roots) => Some(roots),
                ExtraAuthority::InTree(_) => None,
            },
            _ => None,
        }
    }

    /// The program that has its certificate issued, where nobody here signs it.
    pub fn issuer<'a>(&'a self, profile: Option<&'a Profile>) -> Option<&'a IssuerOptions> {
        match (self.authority, &self.wanted) {
            (Some(authority), _) => profile?.issuer(authority),
            (None, Some((What::Extra(extra), _))) => extra.issuer.as_ref(),
            (None, _) => None,
        }
    }

    /// Where its files are.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.public).chain(&self.private)
    }
}

/// The options of a renewal.
#[derive(Debug)]
pub struct Rules<'a> {
    pub profile: Option<&'a Profile>,
    pub now: OffsetDateTime,
    /// Renew only what is due; the window is `renewal.before`. What is older than the profile's `renewal.maxAge` is due, too.
    pub due: Option<Threshold>,
    /// Entries were named: every skipped one is reported.
    pub named: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
    /// A change of the authority, and what becomes of kubelet.conf: every one that embeds a certificate gets a new one, and with
    /// `embed` those that name a file, too. `None`: no such change.
    pub kubelets: Option<Kubelets>,
    /// What earlier profiles gave to kubeconfigs as their server, and this one does not.
    pub former_servers: &'a [String],
}

/// The decision for one credential.
#[derive(Debug)]
pub enum Decision {
    /// It exists and is not due.
    Keep(Box<Certificate>),
    Renew(Box<Renewal>),
    /// It is not renewed, and why; the existing certificate, if any.
    Skipped(Skipped, Option<Box<Certificate>>),
    /// It does not exist and is optional.
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
    /// The notAfter without its authority's limit.
    pub shortened: Option<OffsetDateTime>,
    /// How long it lives, with what it is dated back, where that is a guess.
    pub guessed: Option<Duration>,
    /// The old one's lifetime, which is too short to be repeated: why it is a guess.
    pub too_short: Option<Duration>,
    /// The CN it keeps, and the one it should have.
    pub other_name: Option<(String, String)>,
    /// Extensions of the old certificate that the new one does not have.
    pub dropped: Vec<Oid>,
    pub kubeconfig: Option<Kubeconfig>,
}

/// The change of a kubeconfig.
#[derive(Debug)]
pub enum Kubeconfig {
    /// Only the credential is replaced; `authority`: the CA data as well; `server`: and the server.
    Edit {
        authority: bool,
        server: Option<String>,
    },
    New(Access),
}

#[derive(Debug)]
pub enum Key {
    New,
    /// `--reuse-key`.
    Same(Box<PrivateKey>),
}

/// The changes of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub added: Vec<San>,
    pub removed: Vec<San>,
    /// They are not in the profile and are kept.
    pub surplus: Vec<San>,
}

/// Why a certificate is renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It was named, without `--due`.
    Requested,
    Window {
        left: Duration,
    },
    /// It is as old as `renewal.maxAge` allows.
    Age {
        age: Duration,
        most: MaxAge,
    },
    Expired(OffsetDateTime),
    /// Its notBefore is in the future: made with a wrong clock.
    NotYetValid(OffsetDateTime),
    /// It is revoked in its authority's CRL.
    Revoked(OffsetDateTime),
    Missing,
    KeyMissing,
    KeyUnreadable(CaError),
    KeyMismatch,
    Unreadable(Unreadable),
    /// It lacks names of the profile.
    MissingNames(Vec<San>),
    /// It has names that are not in the profile (`--prune-sans`).
    SurplusNames(Vec<San>),
    /// It lacks a usage that it needs.
    MissingUsages(Vec<ExtendedKeyUsage>),
    /// Signed by an authority that the tree still trusts but that does not sign any more.
    EarlierAuthority(Name),
    /// It names this tree's authority, or needs it, and another one signed it.
    WrongIssuer(Name),
    /// An intermediate between it and its authority has expired, or is not valid yet.
    Path(PathError),
    /// A kubeconfig's certificate-authority-data is not ca.crt.
    AuthorityData,
}

/// Why a certificate is not renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skipped {
    /// The authority is external.
    External(Outside),
    /// The same, and what is there is still good: nothing but its window has begun.
    ExternalInWindow(CaId),
    /// The authority's key could not be opened in this run.
    Closed(CaId, SignerFault),
    AuthorityMissing(CaId),
    /// Its issuer has its key, and its certificate is not here.
    AuthorityElsewhere(CaId),
    /// Another one is to sign the authority: its request waits in this file.
    AuthorityRequested(CaId, PathBuf),
    /// There is no file of its node in the cluster directory.
    NodeMissing(String),
    /// Signed by an unknown issuer.
    NotOurs(Name),
    /// Self-signed by the kubelet.
    KubeletsOwn,
    /// kubelet.conf points to the certificate that the kubelet rotates.
    KubeletRotates(String),
    /// The kubelet uses the certificate that it rotates, whatever kubelet.conf embeds.
    KubeletUsesItsOwn,
    /// A kubeconfig that names files elsewhere.
    CredentialFiles(String),
    /// The file that it names and that is renewed elsewhere is not well.
    NotWellElsewhere(String, Unwell),
    /// The certificate that the kubelet rotates is not well, whatever kubelet.conf embeds.
    KubeletsNotWell(Unwell),
    Unreadable(Unreadable),
    /// It does not exist and is in neither profile nor catalogue.
    Unknown,
    /// It does not exist and is made only by name.
    NotReplenished,
    /// A kind of key kpki does not make.
    OtherKey(OtherKey),
    IsAuthority,
    /// The authority expires with this certificate: a new one would expire no later.
    AuthorityEnds(CaId, OffsetDateTime),
    /// It could not be renewed, and others could.
    Refused(Refusal),
}

/// What is wrong with a file that is renewed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unwell {
    Missing,
    Unreadable,
    Expired(OffsetDateTime),
    NotYetValid(OffsetDateTime),
    /// Another authority than the tree's signed it.
    WrongIssuer(Name),
    /// The key in its file is not its own, or there is none.
    Key,
    /// How long it is still valid.
    Due(Duration),
}

impl Skipped {
    /// Why its authority's key could not be opened.
    pub const fn fault(&self) -> Option<&SignerFault> {
        match self {
            Self::Closed(_, why) => Some(why),
            _ => None,
        }
    }

    /// Something due was not renewed, which changes the exit status.
    pub const fn is_gap(&self) -> bool {
        !matches!(
            self,
            Self::KubeletsOwn
                | Self::KubeletRotates(_)
                | Self::KubeletUsesItsOwn
                | Self::CredentialFiles(_)
                | Self::NotReplenished
        )
    }
}

/// What makes a renewal impossible: the whole run, if it concerns every entry or entries were named.
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
        window: Threshold,
        lifetime: Duration,
    },
}

/// Why an existing authority cannot sign now.
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
