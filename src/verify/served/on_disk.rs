//! The certificates on disk that a component may serve.

use crate::tree::EntryId;
use crate::verify::findings::id;
use crate::verify::{Cluster, Content, File, Part, Tree};
use crate::x509::Certificate;

/// One serving certificate on disk.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk<'a> {
    pub file: &'a File,
    pub leaf: &'a Certificate,
    /// How many certificates stand in the file.
    pub chain: usize,
}

/// Those of an entry; without a node: every node's.
pub fn of<'a>(cluster: &'a Cluster<'_>, id: &EntryId) -> Vec<OnDisk<'a>> {
    files(cluster, id).filter_map(leaf).collect()
}

/// Why a file of the entry that is there cannot be compared with.
pub fn unreadable<'a>(cluster: &'a Cluster<'_>, id: &EntryId) -> Option<(&'a File, &'a str)> {
    files(cluster, id).find_map(|file| match &file.content {
        Content::Broken(why) | Content::Closed(why) => Some((file, why.as_str())),
        _ => None,
    })
}

/// Whose certificate this is, if it lies anywhere on this disk.
pub fn owner(cluster: &Cluster<'_>, fingerprint: &[u8; 32]) -> Option<EntryId> {
    let all = cluster.trees.iter().flat_map(|tree| tree.files.iter().map(move |file| (tree, file)));
    let its = |file: &File| leaf(file).is_some_and(|found| found.leaf.fingerprint == *fingerprint);
    let (tree, file) = all.filter(|(_, file)| is_serving(file)).find(|(_, file)| its(file))?;
    Some(id(tree, file))
}

/// Who signed a certificate, as far as this disk knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signer<'a> {
    /// This authority.
    Entry(&'a str),
    Itself,
    /// Another authority of the name that one on this disk has.
    Namesake(&'a str),
    Unknown,
}

pub fn signer<'a>(cluster: &'a Cluster<'_>, certificate: &Certificate) -> Signer<'a> {
    let files = cluster.trees.iter().flat_map(|tree| &tree.files).filter(|file| file.part == Part::Authority);
    let all: Vec<(&File, &Certificate)> =
        files.flat_map(|file| file.certificates().iter().map(move |one| (file, one))).collect();
    let named = |found: Option<&(&'a File, &Certificate)>| found.map(|(file, _)| file.entry.as_str());
    if let Some(entry) = named(all.iter().find(|(_, one)| certificate.signed_by(one).is_ok())) {
        return Signer::Entry(entry);
    }
    if certificate.signed_by(certificate).is_ok() {
        return Signer::Itself;
    }
    named(all.iter().find(|(_, one)| one.subject_der == certificate.issuer_der))
        .map_or(Signer::Unknown, Signer::Namesake)
}

fn files<'a>(cluster: &'a Cluster<'_>, id: &EntryId) -> impl Iterator<Item = &'a File> {
    let is_its = move |tree: &&Tree| id.node.is_none() || tree.node == id.node;
    cluster
        .trees
        .iter()
        .filter(is_its)
        .flat_map(|tree| &tree.files)
        .filter(move |file| is_serving(file) && file.entry == id.name)
}

fn is_serving(file: &File) -> bool {
    matches!(file.part, Part::Certificate | Part::RotatedPair)
}

fn leaf(file: &File) -> Option<OnDisk<'_>> {
    let certificates = file.certificates();
    Some(OnDisk { file, leaf: certificates.first()?, chain: certificates.len() })
}
