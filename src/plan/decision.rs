//! The plan's decisions about each item, as facts: the messages are in `error/plan.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use time::{Duration, OffsetDateTime};

use crate::blueprint::{Algorithm, Blueprint, San};
use crate::ca::{CaError, SignerFault};
use crate::catalog::CaId;
use crate::encoding::shown::named;
use crate::kubeconfig::KubeconfigError;
use crate::plan::blueprints::Bounds;
use crate::plan::outside::Outside;
use crate::tree::layout::Place;
use crate::x509::{BundleError, Certificate, Mismatch, PathError};

/// The decision for one item.
#[derive(Debug)]
pub enum Decision {
    /// It does not exist: make it.
    Make(Making),
    /// The existing files fit.
    Keep,
    /// The existing files do not fit, and `--force` was given.
    Replace(Making, Vec<Difference>),
    /// The existing files do not fit. With an [`Outside`] the item cannot be re-issued either.
    Conflict(Vec<Difference>, Option<Outside>),
    /// The signer is external: a request is made.
    NoKey(Outside, Making),
}

/// How to make it.
#[derive(Debug, Clone)]
pub enum Making {
    Authority(Algorithm, Blueprint),
    Certificate(Algorithm, Blueprint),
    /// Both halves of the service account pair.
    KeyPair(Algorithm),
    /// The public half of the sa.key that is there.
    PublicHalf(String),
    /// The first certificate of another item's file.
    SignerFile {
        of: usize,
    },
    /// A copy of another item's files: its certificate, its key.
    Copy {
        of: usize,
        public: bool,
        private: bool,
    },
}

/// Who signs an item.
#[derive(Debug)]
pub enum Signer {
    /// An authority to be made in this run.
    New(Bounds),
    /// One of the tree's authorities.
    InTree { bundle: Vec<Certificate>, is_local: bool },
}

impl Signer {
    /// The dates its leaves must keep to; `None`: the bundle is empty.
    pub fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::New(bounds) => Some(*bounds),
            Self::InTree { .. } => self.certificate().map(Bounds::of),
        }
    }

    /// The certificate that signs, if it is there already.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.bundle().first()
    }

    /// Every certificate of its file.
    pub fn bundle(&self) -> &[Certificate] {
        match self {
            Self::New(_) => &[],
            Self::InTree { bundle, .. } => bundle,
        }
    }
}

/// Why a certificate or kubeconfig that is there cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Kubeconfig(#[from] KubeconfigError),
    /// The credentials of a kubeconfig are in this file.
    #[error("expected embedded credentials, found the file {}", named(.0))]
    NotEmbedded(String),
}

/// Why an existing file does not fit, as facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    Unreadable(Unreadable),
    CertificateMissing,
    KeyMissing,
    KeyUnreadable(CaError),
    KeyMismatch,
    /// No valid path leads to this tree's authority.
    Path(CaId, PathError),
    Expired(OffsetDateTime),
    NotYetValid(OffsetDateTime),
    Certificate(Mismatch),
    MissingNames(Vec<San>),
    WrongAuthorityData,
    /// A kubeconfig's cluster, user or server is not the profile's.
    OtherAccess(String),
    NotTheSharedFile,
    NotThePublicHalf,
    /// ca-signer.crt is not the one certificate that signs.
    NotTheSigner,
}

/// What makes the whole run impossible, with any flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A CA's key without its certificate: a new CA would cut off everything the old one signed.
    AuthorityCertificateMissing {
        item: String,
        key: Place,
    },
    /// Another authority is to sign it: its key and request wait for the certificate.
    AuthorityRequested {
        item: String,
        request: PathBuf,
        key: PathBuf,
    },
    /// Its issuer has its key, and its certificate is not here.
    AuthorityElsewhere {
        item: String,
    },
    AuthorityUnreadable {
        item: String,
        why: BundleError,
    },
    /// In the file of its certificate.
    AuthorityWithKey {
        item: String,
        file: Place,
    },
    AuthorityUnusable {
        item: String,
        why: CaError,
    },
    AuthorityExpired {
        item: String,
        not_after: OffsetDateTime,
    },
    AuthorityNotYetValid {
        item: String,
        not_before: OffsetDateTime,
    },
    /// sa.pub without sa.key.
    ServiceAccountKeyMissing,
    ServiceAccountKeyUnreadable(CaError),
    /// An authority or sa.key is missing while its certificates or copies exist: a new one would invalidate them.
    SharedMissing {
        item: String,
        still: Vec<String>,
    },
    /// A new authority's permittedNames exclude names of its own certificates.
    NotPermitted {
        item: String,
        names: Vec<String>,
    },
    /// Two authorities are one: each is trusted for what the other may do.
    SharedAuthority {
        item: String,
        with: String,
    },
    /// This node's tree must hold the cluster's authorities and service account keys before anything can be made.
    SharedElsewhere {
        items: Vec<String>,
    },
}

/// A warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The leaf would outlive its CA and was shortened to the CA's notAfter.
    Shortened { item: String, wanted: OffsetDateTime, not_after: OffsetDateTime },
    /// An existing kubeconfig has another server than the profile's.
    OtherServer { item: String, found: String, wanted: String },
    /// It has the server that an earlier profile gave it.
    FormerServer { item: String, found: String, wanted: String },
    /// An existing certificate lacks names that were added to the profile.
    LacksNames { item: String, names: Vec<String> },
    /// An existing key is of another kind than the profile asks for.
    OtherAlgorithm { item: String, found: String, wanted: Algorithm, takes: Takes },
    /// An existing certificate was made for another lifetime than the profile asks for.
    OtherLifetime { item: String, found: Duration, wanted: Duration, takes: Takes },
    /// The kubelet uses a certificate that it rotates, whatever this file embeds.
    KubeletUsesItsOwn { item: String },
    /// The kubelet rotates its own certificate, this file only points to it.
    KubeletRotates { item: String },
    /// A certificate has names or usages that are not in the profile.
    Surplus { item: String, what: Vec<String> },
    /// A private key, or what embeds one, can be read by others.
    Readable { place: Place, mode: u32 },
    /// The other control-plane nodes need the authorities and keys made here.
    OthersNeedShared { items: Vec<String> },
    /// An authority's key could not be opened, and what it would sign is left.
    Closed { why: SignerFault, items: Vec<String> },
    /// Made here, while requests for them wait.
    Requested { items: Vec<String> },
}

/// When what a profile says takes effect on an existing file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    AtRenewal,
    /// It is an authority's.
    Never,
}

/// The plan with every decision made.
#[derive(Debug, Default)]
pub struct Reconciled {
    /// One for each item, in the same order.
    pub decisions: Vec<Decision>,
    pub signers: BTreeMap<CaId, Signer>,
    pub refusals: Vec<Refusal>,
    pub notices: Vec<Notice>,
}
