//! Where the files of a tree are: for whoever reads them whole.

use std::path::PathBuf;

use super::around::Referred;
use super::expected::{self, CandidatePath, ETCD_CRL_DER, Expected, Presence, Seen};
use super::item::Kind;
use super::request::{Form, Request};
use super::rootfs::NodeRootfs;
use crate::catalog::{CaId, Entry};

/// One file that a tree should or may have.
#[derive(Debug, Clone)]
pub struct ExpectedFile {
    pub name: String,
    pub kind: Kind,
    /// etcd's CRL in DER.
    pub is_der: bool,
    pub authority: Option<CaId>,
    pub entry: Option<&'static Entry>,
    /// The first that exists counts.
    pub paths: Vec<PathBuf>,
    /// `None`: what else is there decides.
    pub required: Option<bool>,
}

/// The files of one tree, and where what they name is.
#[derive(Debug)]
pub struct Places {
    pub files: Vec<ExpectedFile>,
    /// The pki directory.
    pub pki: PathBuf,
    rootfs: NodeRootfs,
}

impl Places {
    pub fn of(request: &Request<'_>) -> Self {
        let root = request.root.display().to_string();
        let rootfs = NodeRootfs::of(request, root.trim_end_matches('/'));
        let expected = match request.form {
            Form::Shared => expected::of_cluster(request),
            _ => expected::of_node(request, &rootfs.kubelet),
        };
        let pki = rootfs.full(&CandidatePath::Below(expected::pki(request))).into();
        Self { files: expected.into_iter().map(|one| file(one, &rootfs)).collect(), pki, rootfs }
    }

    /// certificatesDir on the node, where that is outside /etc/kubernetes, and where it is here.
    pub fn certificates(&self) -> Option<(String, String)> {
        let (dir, here) = self.rootfs.certificates.as_ref()?;
        Some((dir.clone(), self.rootfs.full(here)))
    }

    /// The kubelet's own directory, such as `/var/lib/kubelet/pki`.
    pub fn kubelet(&self) -> PathBuf {
        self.rootfs.full(&self.rootfs.kubelet).into()
    }

    /// Where a path that a file of the node names is on this machine.
    pub fn referred(&self, path: &str) -> Referred {
        self.rootfs.referred(path)
    }
}

/// What is required where no profile says it.
pub fn required(is_there: &dyn Fn(&Entry) -> bool, is_key: &dyn Fn(&str) -> bool) -> impl Fn(&Entry) -> bool + use<> {
    let seen = Seen::of(is_there, is_key);
    move |entry| seen.requires(entry)
}

fn file(expected: Expected, rootfs: &NodeRootfs) -> ExpectedFile {
    ExpectedFile {
        is_der: expected.name == ETCD_CRL_DER,
        paths: expected.candidates.iter().map(|one| rootfs.full(one).into()).collect(),
        required: match expected.presence {
            Presence::Required => Some(true),
            Presence::Optional | Presence::IfThere => Some(false),
            Presence::Unknown => None,
        },
        name: expected.name,
        kind: expected.kind,
        authority: expected.authority,
        entry: expected.entry,
    }
}
