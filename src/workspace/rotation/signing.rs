//! What is seen of the file that kube-controller-manager signs with, node by node.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::files;
use crate::catalog::CaId;
use crate::catalog::paths::{DEFAULT_CERTIFICATES_DIR, SIGNER_ENTRY};
use crate::error::Error;
use crate::files::FileState;
use crate::plan::rotate::SigningNode;
use crate::plan::signer_file::flag;
use crate::tree::layout::Root;
use crate::tree::rotation::Rotating;
use crate::tree::{Directories, EntryId, Layout, Place};
use crate::workspace::shipping::nodes as shipped;
use crate::workspace::signer_file::MANIFEST;
use crate::workspace::{Session, Snapshot, survey};

/// One control-plane node.
#[derive(Debug)]
pub struct Signing {
    pub node: SigningNode,
    /// Its ca-signer.crt.
    pub id: EntryId,
    pub place: Place,
    /// The static pod's manifest; `None`: it is not here.
    pub manifest: Option<Manifest>,
    pub manifest_place: Place,
    /// The same, for messages.
    pub path: PathBuf,
}

/// A file as it lies there.
#[derive(Debug)]
pub struct Manifest {
    pub bytes: Zeroizing<Vec<u8>>,
    /// Permission bits.
    pub mode: u32,
}

/// Every node with the kubeconfig of kube-controller-manager. Those without a tree are not looked at: they get theirs with it.
///
/// # Errors
/// A manifest or a receipt cannot be read.
pub fn nodes(session: &Session<'_>, snapshot: &Snapshot) -> Result<Vec<Signing>, Error> {
    let keys = files::present(files::of(session, Rotating::Authority(CaId::Cluster))?, &snapshot.survey);
    let roots = &session.tree.roots;
    let profile = session.profile();
    let mut all = Vec::new();
    for (node, place) in session.signer_files(&snapshot.survey) {
        let base = node.as_ref().map(|node| Directories::base(&Layout::Cluster, node)).unwrap_or_default();
        let manifest_place = Place { root: Root::Main, path: format!("{base}{MANIFEST}") };
        let mut found = survey::survey(roots, std::iter::once(&manifest_place))?;
        let manifest = match found.remove(&manifest_place) {
            Some(FileState::File { bytes, mode, .. }) => Some(Manifest { bytes, mode }),
            _ => None,
        };
        let receipt = match &node {
            Some(node) => shipped::receipt(roots, node)?.and_then(|receipt| receipt.signing_file),
            None => None,
        };
        all.push(Signing {
            node: SigningNode {
                flag: flag(manifest.as_ref().map(|manifest| manifest.bytes.as_slice())),
                receipt,
                configured: profile.map(|profile| profile.signing_files.clone()).unwrap_or_default(),
                has_key: keys.iter().any(|held| held.is_key && held.id.node == node),
                certificates_dir: profile
                    .map_or(DEFAULT_CERTIFICATES_DIR, |profile| &profile.certificates_dir)
                    .to_owned(),
                node: node.clone(),
            },
            id: EntryId { node, name: SIGNER_ENTRY.to_owned() },
            place,
            manifest,
            path: manifest_place.full(roots),
            manifest_place,
        });
    }
    Ok(all)
}
