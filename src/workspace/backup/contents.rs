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
            let above =
                one.path.parent().map_or_else(|| one.root.name().to_owned(), |dir| manifest::member(one.root, &dir));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::tree_archive::Member;
    use crate::workspace::backup::manifest::{BackedDirectory, BackedFile, BackedRoot, Kind, Owned};
    use crate::workspace::shipping::manifest::ApiVersion;

    fn manifest() -> Manifest {
        let owned = Owned { mode: 0o600, uid: 0, gid: 0 };
        let file = |path: &str, bytes: &[u8]| BackedFile {
            root: RootId::Main,
            path: RelPath::parse(path).unwrap(),
            owned,
            size: u64::try_from(bytes.len()).unwrap(),
            sha256: Sha256(sha256(bytes)),
        };
        Manifest {
            api_version: ApiVersion::V1,
            kind: Kind::Backup,
            time: "2026-11-20T22:00:00Z".to_owned(),
            cluster_name: None,
            directory: "c".to_owned(),
            roots: vec![BackedRoot { root: RootId::Main, path: "c".to_owned(), owned }],
            directories: vec![BackedDirectory { root: RootId::Main, path: RelPath::parse("pki").unwrap(), owned }],
            files: vec![file("a", b"one"), file("pki/b", b"two")],
            left_out: Vec::new(),
        }
    }

    const MEMBERS: [(&str, Option<&[u8]>); 4] =
        [("main", None), ("main/pki", None), ("main/a", Some(b"one")), ("main/pki/b", Some(b"two"))];

    fn read(manifest: &Manifest, members: &[(&str, Option<&[u8]>)]) -> Result<usize, ContentsError> {
        let text = manifest.render().unwrap();
        let all = [(manifest::NAME, Some(text.as_slice()))].into_iter().chain(members.iter().copied());
        let member = |(path, content)| Member { path, mode: 0o600, uid: 0, gid: 0, content };
        let archive = tree_archive::write(&all.map(member).collect::<Vec<_>>(), 0).unwrap();
        Contents::read(&archive).map(|contents| contents.files.len())
    }

    #[test]
    fn everything_is_accounted_for() {
        assert_eq!(read(&manifest(), &MEMBERS), Ok(2));
        for left in 0..MEMBERS.len() {
            let mut members = MEMBERS.to_vec();
            let (path, _) = members.remove(left);
            assert_eq!(read(&manifest(), &members), Err(ContentsError::Missing(path.to_owned())));
        }
        let more = [&MEMBERS[..], &[("main/c", Some(b"x".as_slice()))]].concat();
        assert_eq!(read(&manifest(), &more), Err(ContentsError::Unlisted("main/c".to_owned())));
        for other in [b"won".as_slice(), b"", b"one more"] {
            let mut members = MEMBERS;
            members[2].1 = Some(other);
            assert_eq!(read(&manifest(), &members), Err(ContentsError::Differs("main/a".to_owned())));
        }
        let mut twice = manifest();
        twice.files.push(twice.files[0].clone());
        assert_eq!(read(&twice, &MEMBERS), Err(ContentsError::Twice("main/a".to_owned())));
        let mut twice = manifest();
        twice.directories.push(twice.directories[0].clone());
        assert_eq!(read(&twice, &MEMBERS), Err(ContentsError::Twice("main/pki".to_owned())));
        // A directory of no root, and a file in no directory.
        let mut other = manifest();
        other.roots[0].root = RootId::State;
        assert!(matches!(read(&other, &MEMBERS), Err(ContentsError::OtherRoot(_))));
        let mut other = manifest();
        other.directories.clear();
        assert_eq!(read(&other, &MEMBERS), Err(ContentsError::Missing("main/pki/b".to_owned())));
        assert!(matches!(Contents::read(&[0; 1024]), Err(ContentsError::NoManifest)));
    }

    #[test]
    fn no_path_of_the_manifest_leaves_the_directory() {
        let text = String::from_utf8(manifest().render().unwrap()).unwrap();
        assert_eq!(Manifest::parse(text.as_bytes()), Ok(manifest()));
        for (from, to) in [
            ("pki/b", "../b"),
            ("pki/b", "/b"),
            ("0600", "600x"),
            ("0600", "77777"),
            ("Backup", "Pack"),
            ("main", "etc"),
        ] {
            assert!(Manifest::parse(text.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }
}
