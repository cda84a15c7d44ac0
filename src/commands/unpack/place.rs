//! Where the files of an archive go: the tree on this machine, and the place in it of a path on the node.

use super::contents::{Contents, What};
use super::request::Request;
use crate::catalog::{self, CaId};
use crate::encoding::shown::named;
use crate::error::Error;
use crate::files::RelPath;
use crate::inventory;
use crate::profile::{GATHERED, Profile};
use crate::store::RootId;
use crate::tree::layout::Root;
use crate::tree::layout::{DEFAULT_DIR, DEFAULT_KUBELET_DIR};
use crate::tree::{Directories, Place};
use crate::workspace::state::State;
use crate::workspace::tree_dir::{self, Shape, TreeDir};
use std::path::Path;

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub root: RootId,
    pub path: RelPath,
}

/// The tree on this machine, and how the node's paths lie in it.
pub struct Home {
    pub tree: TreeDir,
    /// On the node.
    certificates: String,
}

impl Home {
    /// `recorded`: what DIR records; `profile`: the archive's, or else the recorded one.
    pub fn of(
        request: &Request,
        contents: &Contents,
        recorded: Option<&State>,
        profile: Option<&Profile>,
    ) -> Result<Self, Error> {
        let main = &request.dir;
        if inventory::is_cluster(main) {
            return Err(Error::new(format!("{} is a cluster directory and belongs to no single node", main.display()))
                .hint("unpack on the node, or give the node's kubernetes directory with --dir"));
        }
        let chosen = request.kubelet_dir.clone();
        let chosen = chosen.or_else(|| recorded.and_then(|state| state.choices.kubelet_dir.clone()));
        let kubelet = tree_dir::kubelet_dir(main, chosen.as_deref());
        let tree = TreeDir::new(main, profile, Shape::Node { kubelet: kubelet.as_deref() })?;
        let certificates = match profile {
            Some(profile) => profile.certificates_dir.clone(),
            None => of_manifest(contents, &tree.directories),
        };
        Ok(Self { tree, certificates: certificates.trim_end_matches('/').to_owned() })
    }

    /// Of a path on the node; the error says why there is none.
    pub fn target(&self, path: &str) -> Result<Target, String> {
        let elsewhere = || {
            format!(
                "{} is in none of {DEFAULT_DIR}, {DEFAULT_KUBELET_DIR} and {}",
                named(path),
                named(&self.certificates)
            )
        };
        let below = |root: &str| path.strip_prefix(root).and_then(|rest| rest.strip_prefix('/'));
        let directories = &self.tree.directories;
        let (root, below) = if let Some(rest) = below(&self.certificates) {
            let place = directories.certificate("", rest);
            (place.root_id(), place.path)
        } else if let Some(rest) = below(DEFAULT_KUBELET_DIR) {
            match &directories.kubelet {
                Some(inside) => (RootId::Main, format!("{inside}/{rest}")),
                None => (RootId::Kubelet, rest.to_owned()),
            }
        } else if let Some(rest) = below(DEFAULT_DIR) {
            match rest.strip_prefix(".kpki/") {
                Some(rest) => (RootId::State, rest.to_owned()),
                None => (RootId::Main, rest.to_owned()),
            }
        } else {
            return Err(elsewhere());
        };
        Ok(Target { root, path: RelPath::parse(below).map_err(|_| elsewhere())? })
    }

    /// Every file is where its entry's belongs: what the kubelet runs, or kpki, is nobody's certificate.
    pub fn misplaced(&self, contents: &Contents) -> Vec<String> {
        let mut whys = Vec::new();
        for part in &contents.parts {
            let target = match self.target(&part.path) {
                Ok(target) => target,
                Err(why) => {
                    whys.push(why);
                    continue;
                }
            };
            let expected: Vec<Target> = match (part.what, catalog::find(&part.entry)) {
                (What::Manifest | What::Profile | What::State, _) => continue,
                (What::List(authority), _) => {
                    let certificate = self.tree.directories.authority(authority).0;
                    [".crl", ".crl.der"].iter().filter_map(|end| of_place(certificate.with_end(".crt", end))).collect()
                }
                (_, Some(entry)) => {
                    let (public, private) = self.tree.directories.files("", entry.files);
                    std::iter::once(public).chain(private).filter_map(of_place).collect()
                }
                (_, None) if self.may_hold_extra(&target) => continue,
                (_, None) => Vec::new(),
            };
            if !expected.contains(&target) {
                whys.push(format!("{} is not where {} belongs", named(&part.path), named(&part.entry)));
            }
        }
        whys
    }

    /// Extra certificates are below the pki directory.
    fn may_hold_extra(&self, target: &Target) -> bool {
        let is_kind = [".crt", ".key"].iter().any(|end| target.path.as_str().ends_with(end));
        let known = CaId::ALL.iter().any(|id| self.tree.directories.authority(*id).0 == place_of(target));
        let is_below = match &self.tree.directories.pki {
            Some(pki) => target.root == RootId::Main && target.path.is_within(pki),
            None => target.root == RootId::Certificates,
        };
        is_below && is_kind && !known
    }

    /// What other verbs do not look for by themselves.
    pub fn kubelet_to_say(&self) -> Option<&Path> {
        let kubelet = self.tree.roots.kubelet.as_deref()?;
        (tree_dir::kubelet_dir(&self.tree.roots.main, None).as_deref() != Some(kubelet)).then_some(kubelet)
    }

    /// For messages.
    pub fn shown(&self, target: &Target) -> String {
        self.tree.roots.path_of(target.root, &target.path).display().to_string()
    }
}

pub fn of_place(place: Place) -> Option<Target> {
    Some(Target { root: place.root_id(), path: RelPath::parse(place.path).ok()? })
}

/// An archive of 0.1.0 has no profile: the directory of its first certificate that has one.
fn of_manifest(contents: &Contents, directories: &Directories) -> String {
    let ca = contents.manifest.entries.iter().find(|one| one.name == CaId::Cluster.name());
    let parent = ca.and_then(|one| one.path.rsplit_once('/')).map(|(parent, _)| parent.to_owned());
    let usual = format!("{DEFAULT_DIR}/{}", directories.pki.as_deref().unwrap_or(GATHERED));
    parent.filter(|path| *path == usual).unwrap_or(usual)
}

/// A place of the tree as its own kind of path.
pub fn place_of(target: &Target) -> Place {
    let root = match target.root {
        RootId::Kubelet => Root::Kubelet,
        RootId::Certificates => Root::Certificates,
        RootId::Main | RootId::State => Root::Main,
    };
    Place { root, path: target.path.to_string() }
}
