//! ca-signer.crt on disk: whether a tree has one, and what the static pod of kube-controller-manager says.

use crate::catalog::CaId;
use crate::catalog::paths::DEFAULT_CERTIFICATES_DIR;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::init as plan;
use crate::plan::item::Item;
use crate::plan::signer_file::{SigningNode, flag};
use crate::profile::{NodeRole, Profile};
use crate::store::RootId;
use crate::tree::{Directories, Layout, Place};
use crate::workspace::{TreeDir, survey};
use crate::x509::parse_pem_bundle;

/// Below a node's directory.
pub const MANIFEST: &str = "manifests/kube-controller-manager.yaml";

/// Every item of the tree, with ca-signer.crt where its ca.crt holds more than one certificate, the profile asks, or one is there:
/// kube-controller-manager may go on signing with it when a rotation is over.
pub fn items(profile: &Profile, layout: &Layout, tree: &TreeDir) -> Result<Vec<Item>, Error> {
    let mut items = plan::items(profile, layout, &tree.directories);
    let (ca, _) = tree.directories.authority(CaId::Cluster);
    let is_there = |base: &String| !survey::is_missing(&tree.roots, &tree.directories.signer_file(base));
    if profile.signer_file || certificates(tree, &ca)? > 1 || bases(Some(profile), layout, &[]).iter().any(is_there) {
        plan::add_signer_files(&mut items, profile, layout, &tree.directories);
    }
    Ok(items)
}

fn certificates(tree: &TreeDir, place: &Place) -> Result<usize, Error> {
    let bytes = survey::read(&tree.roots, place.root_id(), &RelPath::parse(place.path.as_str())?)?;
    Ok(bytes.and_then(|bytes| parse_pem_bundle(&bytes).ok()).map_or(0, |bundle| bundle.len()))
}

/// The directories of the control-plane nodes below DIR: of the profile, or without one, the tree's own and every node's.
pub fn bases(profile: Option<&Profile>, layout: &Layout, nodes: &[String]) -> Vec<String> {
    match (layout, profile) {
        (Layout::Node { .. }, _) => vec![String::new()],
        (Layout::Cluster, Some(profile)) => profile
            .nodes
            .iter()
            .filter(|node| node.is(NodeRole::ControlPlane))
            .map(|node| Directories::base(layout, &node.name))
            .collect(),
        (Layout::Cluster, None) => nodes.iter().map(|node| Directories::base(layout, node)).collect(),
    }
}

/// What has to be said about each node's flag. `certificates`: of ca.crt, as it is or will be; `written`: places of ca-signer.crt
/// that this run makes.
pub fn notices(
    tree: &TreeDir,
    profile: Option<&Profile>,
    bases: &[String],
    certificates: usize,
    written: &[Place],
) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for base in bases {
        let path = format!("{base}{MANIFEST}");
        let read = |root, path: &str| survey::read(&tree.roots, root, &RelPath::parse(path)?);
        let (manifest, place) = (read(RootId::Main, &path)?, tree.directories.signer_file(base));
        let is_new = written.contains(&place);
        let node = SigningNode {
            flag: flag(manifest.as_ref().map(|bytes| bytes.as_slice())),
            manifest: &tree.roots.main.join(&path).display().to_string(),
            certificates_dir: profile.map_or(DEFAULT_CERTIFICATES_DIR, |profile| &profile.certificates_dir),
            certificates,
            exists: is_new || read(place.root_id(), &place.path)?.is_some(),
            is_new,
        };
        for notice in node.notices() {
            if !all.contains(&notice) {
                all.push(notice);
            }
        }
    }
    Ok(all)
}
