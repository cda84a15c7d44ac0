//! What one side of an edge has of the files it takes.

use crate::catalog::CaId;
use crate::encoding::shown::named;
use crate::manifest::Flags;
use crate::tree::EntryId;
use crate::verify::cluster::{Cluster, Content, File, Key, Kubeconfig, Part, Tree};
use crate::verify::findings::id;
use crate::x509::Certificate;

/// Something that may be here or not.
#[derive(Debug, Clone)]
pub enum Held<T> {
    Here(T),
    NotLookedAt { path: String, why: String },
    NotOnDisk,
    Elsewhere(&'static str),
}

/// A chain with its key.
#[derive(Debug, Clone)]
pub struct Leaf<'a> {
    pub entry: EntryId,
    pub path: &'a str,
    pub chain: &'a [Certificate],
    pub key: Option<&'a Key>,
}

/// Whom one side trusts.
#[derive(Debug, Clone, Copy)]
pub struct Bundle<'a> {
    pub path: &'a str,
    pub certificates: &'a [Certificate],
}

impl<T> Held<T> {
    /// Both, or what keeps them from being judged together.
    pub fn with<U, V>(self, other: Held<U>, both: impl FnOnce(T, U) -> V) -> Held<V> {
        match (self, other) {
            (Self::Here(one), Held::Here(other)) => Held::Here(both(one, other)),
            (Self::Elsewhere(why), _) | (_, Held::Elsewhere(why)) => Held::Elsewhere(why),
            (Self::NotOnDisk, _) | (_, Held::NotOnDisk) => Held::NotOnDisk,
            (Self::NotLookedAt { path, why }, _) | (_, Held::NotLookedAt { path, why }) => {
                Held::NotLookedAt { path, why }
            }
        }
    }
}

/// The trees of nodes.
pub fn nodes<'a>(cluster: &'a Cluster<'_>) -> impl Iterator<Item = &'a Tree> + use<'a> {
    cluster.trees.iter().filter(|tree| !tree.is_shared)
}

/// `NODE/NAME` in a cluster directory.
pub fn entry_of(tree: &Tree, name: &str) -> EntryId {
    EntryId::new(tree.in_cluster.then_some(tree.node.as_deref()).flatten(), name)
}

/// The pair of an entry in a tree.
pub fn pair<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree, entry: &str) -> Held<Leaf<'a>> {
    match tree.file(entry, Part::Certificate) {
        Some(file) => leaf(tree, file, file.certificates(), cluster.key_of(tree, file)),
        None => Held::NotOnDisk,
    }
}

/// The certificate that a kubeconfig shows, and whom it trusts.
pub fn kubeconfig<'a>(tree: &'a Tree, file: &'a File) -> (Held<Leaf<'a>>, Held<Bundle<'a>>) {
    let Content::Kubeconfig(read) = &file.content else {
        return (unread(file), unread(file));
    };
    (credential(tree, file, read), trusted(file, read))
}

fn credential<'a>(tree: &'a Tree, file: &'a File, read: &'a Kubeconfig) -> Held<Leaf<'a>> {
    // kubelet.conf names the file that the kubelet rotates.
    let rotated = || tree.file(&file.entry, Part::RotatedPair);
    match (read.certificates.as_slice(), read.certificate_file.as_ref().and_then(|_| rotated())) {
        ([], Some(rotated)) => leaf(tree, rotated, rotated.certificates(), rotated.key()),
        ([], None) if !read.others.is_empty() => Held::Elsewhere("it does not show a certificate"),
        ([], None) => Held::NotOnDisk,
        (chain, _) => leaf(tree, file, chain, read.key.as_ref()),
    }
}

fn trusted<'a>(file: &'a File, read: &'a Kubeconfig) -> Held<Bundle<'a>> {
    match read.authority.as_slice() {
        _ if read.is_insecure => Held::Elsewhere("it does not verify its server"),
        [] if !read.not_here.is_empty() => Held::NotOnDisk,
        // Without a field of its own client-go trusts the machine's roots.
        [] => Held::NotLookedAt { path: file.path.clone(), why: "it trusts the machine's roots".to_owned() },
        certificates => Held::Here(Bundle { path: &file.path, certificates }),
    }
}

fn leaf<'a>(tree: &Tree, file: &'a File, chain: &'a [Certificate], key: Option<&'a Key>) -> Held<Leaf<'a>> {
    if chain.is_empty() {
        return unread(file);
    }
    Held::Here(Leaf { entry: id(tree, file), path: &file.path, chain, key })
}

/// The bundle that a node's processes read; without one of its own, what the nodes share.
pub fn bundle<'a>(cluster: &'a Cluster<'_>, tree: &'a Tree, authority: CaId) -> Held<Bundle<'a>> {
    let shared = || cluster.trees.iter().find(|tree| tree.is_shared);
    let of = |tree: &'a Tree| tree.file(authority.name(), Part::Authority);
    match of(tree).or_else(|| shared().and_then(of)) {
        Some(file) if file.certificates().is_empty() => unread(file),
        Some(file) => Held::Here(Bundle { path: &file.path, certificates: file.certificates() }),
        None => Held::NotOnDisk,
    }
}

/// What a static pod's manifest says of a flag, and the manifest's path; `None`: there is none that can be read.
pub fn flag<'a>(tree: &'a Tree, component: &str, flag: &str) -> Option<(&'a str, Option<String>)> {
    let file = tree.file(component, Part::Manifest)?;
    let Content::Text(text) = &file.content else { return None };
    Some((&file.path, Flags::read(text)?.get(flag).map(str::to_owned)))
}

/// Why a file says nothing.
pub fn unread<T>(file: &File) -> Held<T> {
    let why = match &file.content {
        Content::Broken(why) | Content::Closed(why) => why.clone(),
        _ => format!("nothing that {} is judged by", named(&file.entry)),
    };
    Held::NotLookedAt { path: file.path.clone(), why }
}
