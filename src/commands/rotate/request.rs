//! The request from the command line.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::blueprint::Algorithm;
use crate::catalog::CaId;
use crate::clock::Span;
use crate::tree::rotation::{Kubelets, Phase, Record, Rotating};
use crate::workspace::{RunArgs, TreeArgs};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    pub step: Step,
    /// Empty: all that are in the phase before.
    pub authorities: Vec<Rotating>,
    pub options: Options,
}

/// What every step that changes a tree takes.
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub no_hooks: bool,
    /// The environment of hooks, from this process's.
    pub inherited: Vec<(&'static str, OsString)>,
    /// A directory for the objects of the cluster that can be made here.
    pub manifests: Option<PathBuf>,
}

impl Request {
    /// The authorities whose keys the step opens.
    pub fn opened(&self, record: &Record) -> BTreeSet<CaId> {
        let rotations = record.rotations.iter().map(|one| one.authority);
        let retired = record.retired.iter().map(|one| one.authority);
        let all: Vec<Rotating> = match &self.step {
            // Nothing is signed, but perhaps a list, whose key is opened then.
            Step::Retire(options) if !options.forget => return BTreeSet::new(),
            _ if !self.authorities.is_empty() => self.authorities.clone(),
            Step::Record(_) => Rotating::ALL.to_vec(),
            Step::Forget => retired.collect(),
            _ => rotations.collect(),
        };
        all.into_iter().filter_map(Rotating::authority).collect()
    }
}

#[derive(Debug, Clone)]
pub enum Step {
    Prepare(PrepareOptions),
    Switch(SwitchOptions),
    Retire(RetireOptions),
    Back(BackOptions),
    Forget,
    Emergency(EmergencyOptions),
    Record(RecordOptions),
}

impl Step {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Prepare(_) => "prepare",
            Self::Switch(_) => "switch",
            Self::Retire(_) => "retire",
            Self::Back(_) => "back",
            Self::Forget => "forget",
            Self::Emergency(_) => "emergency",
            Self::Record(_) => "record",
        }
    }

    /// As the journal and the generations name it.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Prepare(_) => "rotate-prepare",
            Self::Switch(_) => "rotate-switch",
            Self::Retire(_) => "rotate-retire",
            Self::Back(_) => "rotate-back",
            Self::Forget => "rotate-forget",
            Self::Emergency(_) => "rotate-emergency",
            Self::Record(_) => "rotate-record",
        }
    }

    /// Files that are not of the recorded phase do not stand in its way.
    pub const fn outranks_the_record(&self) -> bool {
        matches!(self, Self::Emergency(_) | Self::Record(_))
    }

    /// It changes kpki's own files alone.
    pub const fn leaves_the_tree(&self) -> bool {
        matches!(self, Self::Forget | Self::Record(_))
    }
}

/// How it is known that kube-controller-manager signs with ca-signer.crt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignerFile {
    /// By its manifest, or by receipts.
    #[default]
    Seen,
    /// The manifest is changed in the same transaction.
    Edit,
    /// By the operator's word.
    InUse,
}

#[derive(Debug, Clone, Default)]
pub struct PrepareOptions {
    /// The certificate of an external authority, with what stands above it.
    pub new_ca: Option<PathBuf>,
    pub new_key: Option<PathBuf>,
    pub keep_subject: bool,
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
    pub signer_file: SignerFile,
}

#[derive(Debug, Clone, Default)]
pub struct SwitchOptions {
    pub reuse_keys: bool,
    /// `None`: embed in a cluster directory, wait in a node's own tree.
    pub kubelets: Option<Kubelets>,
    pub cross_sign: bool,
    pub confirm_all: bool,
    /// Although the wait is not over.
    pub not_before_override: bool,
}

#[derive(Debug, Clone, Default)]
pub struct RetireOptions {
    pub confirm_all: bool,
    pub not_before_override: bool,
    pub forget: bool,
}

#[derive(Debug, Clone, Default)]
pub struct BackOptions {
    pub confirm_all: bool,
    pub not_before_override: bool,
}

#[derive(Debug, Clone, Default)]
pub struct EmergencyOptions {
    /// The interruption is accepted.
    pub interrupts: bool,
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
}

#[derive(Debug, Clone, Default)]
pub struct RecordOptions {
    /// Where the files do not tell it.
    pub phase: Option<Phase>,
    /// The key of the new authority, which does not sign yet.
    pub new_key: Option<PathBuf>,
}
