//! What a backup holds, once every byte of its archive is accounted for.

use std::collections::{BTreeMap, BTreeSet};

use super::manifest::{self, Manifest};
use crate::encoding::archive::ArchiveError;
use crate::encoding::shown::named;
use crate::encoding::tree_archive;
use crate::files::RelPath;
use crate::store::{JsonError, RootId};
use crate::workspace::shipping::digest::Sha256;
use crate::x509::sha256;

/// A verified archive.
#[derive(Debug)]
pub struct Contents<'a> {
    pub manifest: Manifest,
    /// By their member's path.
    files: BTreeMap<String, &'a [u8]>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Another archive.
    #[error("expected kpki-backup.json as the first member")]
    NoManifest,
    #[error("kpki-backup.json: {0}")]
    Manifest(#[from] JsonError),
    /// The manifest has it, the archive has not, or it is no file there.
    #[error("expected {}, which the manifest lists, found none", named(.0))]
    Missing(String),
    #[error("expected what the manifest lists, found {} more", named(.0))]
    Unlisted(String),
    #[error("expected each file once in the manifest, found {} twice", named(.0))]
    Twice(String),
    /// Its digest or its size.
    #[error("expected {} as the manifest describes it, found other bytes", named(.0))]
    Differs(String),
    /// No directory of a tree.
    #[error("expected files of a tree and of the kubelet, found {} of another root", named(.0))]
    OtherRoot(String),
}

impl<'a> Contents<'a> {
    pub fn read(archive: &'a [u8]) -> Result<Self, ContentsError> {
        let mut members = tree_archive::read(archive)?.into_iter();
        let first = members.next().filter(|first| first.path == manifest::NAME).and_then(|first| first.bytes);
        let manifest = Manifest::parse(first.ok_or(ContentsError::NoManifest)?)?;
        let mut there: BTreeMap<String, Option<&[u8]>> = members.map(|member| (member.path, member.bytes)).collect();
        let mut known = BTreeSet::new();
        let known_roots: BTreeSet<RootId> = manifest.roots.iter().map(|root| root.root).collect();
        let roots = manifest.roots.iter().map(|one| (one.root, one.root.name().to_owned()));
        let directories = manifest.directories.iter().map(|one| (one.root, manifest::member(one.root, &one.path)));
        for (root, path) in roots.chain(directories) {
            if root == RootId::State || !known_roots.contains(&root) {
                return Err(ContentsError::OtherRoot(path));
            }
            match there.remove(&path) {
                Some(None) => _ = known.insert(path),
                _ if known.contains(&path) => return Err(ContentsError::Twice(path)),
                _ => return Err(ContentsError::Missing(path)),
            }
        }
        let mut files = BTreeMap::new();
        for one in &manifest.files {
            let path = manifest::member(one.root, &one.path);
            if files.contains_key(&path) {
                return Err(ContentsError::Twice(path));
            }
            let above = one.path.parent().map_or_else(|| one.root.name().to_owned(), |dir| manifest::member(one.root, &dir));
            let Some(Some(bytes)) = there.remove(&path).filter(|_| known.contains(&above)) else {
                return Err(ContentsError::Missing(path));
            };
            if u64::try_from(bytes.len()) != Ok(one.size) || Sha256(sha256(bytes)) != one.sha256 {
                return Err(ContentsError::Differs(path));
            }
            files.insert(path, bytes);
        }
        match there.into_keys().next() {
            Some(path) => Err(ContentsError::Unlisted(path)),
            None => Ok(Self { manifest, files }),
        }
    }

    /// The bytes of a file below a root.
    pub fn file(&self, root: RootId, path: &str) -> Option<&'a [u8]> {
        let path = RelPath::parse(path).ok()?;
        self.files.get(&manifest::member(root, &path)).copied()
    }
}
