//! What a path means: one node's kubernetes directory, a cluster directory with its nodes, a directory full of either, one
//! file, or anything to be walked.

use std::path::{Path, PathBuf};

use super::directories::{exists, is_cluster, is_directory, is_node};
use super::walk::{self, WalkEvent};
use crate::catalog::CaId;
use crate::encrypted::Password;
use crate::files::{self, What};
use crate::parallel;
use crate::profile::{CertificatesDir, GATHERED, Profile};

/// How something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One node's `/etc/kubernetes`: the catalogue leads.
    Node,
    /// The authorities of a cluster directory, in its `pki/`.
    Shared,
    /// Whatever is in it.
    Directory,
    File,
}

/// One tree to be read. [`requests`] makes them from a path; a verb may add to them.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub root: PathBuf,
    pub form: Form,
    pub profile: Option<&'a Profile>,
    /// Which of the profile's nodes this is.
    pub node: Option<String>,
    /// The kubelet's own directory, if it was given.
    pub kubelet_dir: Option<PathBuf>,
    /// The cluster directory this node's tree is in: its `pki/` may hold the keys of the authorities.
    pub cluster_dir: Option<PathBuf>,
    /// Of what is encrypted.
    pub password: Option<&'a Password>,
    /// Whether the files of keys are read, to see whose they are.
    pub keys: bool,
}

impl<'a> Request<'a> {
    pub fn new(root: impl Into<PathBuf>, form: Form) -> Self {
        Self {
            root: root.into(),
            form,
            profile: None,
            node: None,
            kubelet_dir: None,
            cluster_dir: None,
            password: None,
            keys: true,
        }
    }

    /// A file of an authority in the cluster directory that this node's tree is in, if it exists.
    pub(super) fn shared_file(&self, authority: CaId, extension: &str) -> Option<PathBuf> {
        let pki = self.profile.and_then(Profile::certificates_below).unwrap_or(GATHERED);
        let stem = self.cluster_dir.as_ref()?.join(pki).join(authority.stem());
        Some(stem.with_extension(extension)).filter(|path| exists(path))
    }

    /// Where its certificates are; in a cluster directory always below.
    pub(super) fn certificates(&self) -> CertificatesDir {
        let gathered = CertificatesDir::Gathered;
        match (self.profile, self.form, &self.cluster_dir) {
            (None, ..) => gathered,
            (Some(profile), Form::Node, None) => {
                profile.certificates_in(&std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone()))
            }
            (Some(profile), ..) => {
                profile.certificates_below().map_or(gathered, |below| CertificatesDir::Below(below.to_owned()))
            }
        }
    }

    /// One node's directory. A profile with one node decides which.
    pub fn node(root: impl Into<PathBuf>, profile: Option<&'a Profile>, node: Option<&str>) -> Self {
        let only = match profile.map(|profile| profile.nodes.as_slice()) {
            Some([only]) => Some(only.name.clone()),
            _ => None,
        };
        Self { profile, node: node.map(str::to_owned).or(only), ..Self::new(root, Form::Node) }
    }
}

/// All requests for a path, in the order of names; `None`: the path does not exist. With a profile, a directory is its
/// cluster's or its node's even when nothing of it is there any more.
pub fn requests<'a>(path: &Path, profile: Option<&'a Profile>, threads: usize) -> Option<Vec<Request<'a>>> {
    match files::what(None, path)? {
        What::Directory => {}
        _ => return Some(vec![Request::new(path, Form::File)]),
    }
    if is_cluster(path) || (profile.is_some_and(|profile| profile.nodes.len() > 1) && is_directory(&path.join("nodes")))
    {
        return Some(cluster(path, profile));
    }
    if profile.is_some() || is_node(path) || path.ends_with("etc/kubernetes") || exists(&path.join("pki/ca.crt")) {
        return Some(vec![Request::node(path, profile, None)]);
    }
    let found = search(path, threads).unwrap_or_else(|| Found::of(|on| walk::scan(path, on)));
    let mut trees = found.trees;
    if found.loose || trees.is_empty() {
        trees.push(Request::new(path, Form::Directory));
    }
    Some(trees)
}

/// What is below a directory: trees, and whether there is anything else.
struct Found {
    trees: Vec<Request<'static>>,
    loose: bool,
}

impl Found {
    fn of(walk: impl FnOnce(&mut dyn FnMut(WalkEvent))) -> Self {
        let mut found = Self { trees: Vec::new(), loose: false };
        walk(&mut |event| match event {
            WalkEvent::Node(root) => found.trees.push(Request::node(root, None, None)),
            WalkEvent::Cluster(root) => found.trees.extend(cluster(&root, None)),
            WalkEvent::File(_) | WalkEvent::Failed(..) => found.loose = true,
        });
        found
    }
}

/// The directories of a fleet on all threads, in the order of names. `None`: it cannot be listed, or not which of its names are
/// directories.
fn search(path: &Path, threads: usize) -> Option<Found> {
    let mut listed = files::Dir::open_root(path).and_then(|dir| dir.list()).ok()?;
    listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    if listed.iter().any(|entry| entry.what == What::Unknown) {
        return None;
    }
    let (directories, others): (Vec<_>, Vec<_>) = listed.into_iter().partition(|entry| entry.what == What::Directory);
    let below = |index: usize| {
        let path = path.join(&directories.get(index)?.name);
        Some(Found::of(|on| walk::scan_below(&path, on)))
    };
    let found = parallel::map(directories.len(), threads, below, |_| ()).ok()?;
    let loose =
        found.iter().any(|found| found.loose) || others.iter().any(|entry| walk::is_read(Path::new(&entry.name)));
    Some(Found { trees: found.into_iter().flat_map(|found| found.trees).collect(), loose })
}

/// A cluster directory: what its nodes share, then each node, whether the profile names it or its directory is there.
fn cluster<'a>(root: &Path, profile: Option<&'a Profile>) -> Vec<Request<'a>> {
    let mut names: Vec<String> = profile.iter().flat_map(|profile| &profile.nodes).map(|n| n.name.clone()).collect();
    let mut further: Vec<String> = walk::directories(&root.join("nodes"));
    further.retain(|name| !names.contains(name));
    names.append(&mut further);
    let mut all = vec![Request { profile, ..Request::new(root, Form::Shared) }];
    all.extend(names.into_iter().map(|name| Request {
        cluster_dir: Some(root.to_owned()),
        ..Request::node(root.join("nodes").join(&name), profile, Some(&name))
    }));
    all
}
