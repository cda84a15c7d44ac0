//! Reads everything of a tree: regular files and directories, through no symlink. What else is there is named.

use std::path::Path;

use zeroize::Zeroizing;

use super::LIMIT;
use super::manifest::{self, BackedDirectory, BackedFile, BackedRoot, LeftOut, Manifest, NAME, Owned, member};
use crate::encoding::tree_archive::{self, Member};
use crate::error::Error;
use crate::files::{self, Dir, Facts, FileError, FileState, Kind, RelPath, What};
use crate::store::{RootId, Roots};
use crate::workspace::shipping::digest::Sha256;
use crate::workspace::shipping::manifest::ApiVersion;
use crate::workspace::survey;
use crate::x509::sha256;

/// Deeper is no tree of kpki or Kubernetes, and each level is an open directory.
const DEEPEST: usize = 64;
/// It belongs to whoever is at work, and says nothing.
const LOCK: &str = ".kpki/lock";

/// Everything of a tree, in memory.
#[derive(Debug)]
pub struct Collected {
    pub manifest: Manifest,
    /// In the order of the manifest's.
    contents: Vec<Zeroizing<Vec<u8>>>,
}

/// A directory that must not be in the tree: the backup is written there.
#[derive(Debug, Clone, Copy)]
pub struct Outside(Facts);

impl Outside {
    /// Of a file that is to be written.
    pub fn of(out: &Path) -> Result<Self, FileError> {
        let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty());
        Dir::open_root(parent.unwrap_or(Path::new("."))).and_then(|dir| dir.own_facts()).map(Self)
    }
}

/// Reads all of a tree. One consistent state only under the tree's lock.
pub fn collect(roots: &Roots, outside: Option<Outside>) -> Result<Collected, Error> {
    let manifest = Manifest {
        api_version: ApiVersion::V1,
        kind: manifest::Kind::Backup,
        time: String::new(),
        cluster_name: None,
        directory: roots.main.display().to_string(),
        roots: Vec::new(),
        directories: Vec::new(),
        files: Vec::new(),
        left_out: Vec::new(),
    };
    let mut walk = Walk { all: Collected { manifest, contents: Vec::new() }, outside, left: LIMIT };
    let outside = RootId::OUTSIDE.into_iter().filter_map(|root| Some((root, roots.outside(root)?)));
    for (root, path) in [(RootId::Main, roots.main.as_path())].into_iter().chain(outside) {
        let Some(dir) = survey::open(path)? else { continue };
        let owned = owned(&dir.own_facts()?);
        walk.all.manifest.roots.push(BackedRoot { root, path: path.display().to_string(), owned });
        walk.directory(root, &dir, None, 0)?;
    }
    Ok(walk.all)
}

struct Walk {
    all: Collected,
    outside: Option<Outside>,
    /// How many bytes there may still be.
    left: u64,
}

const fn owned(facts: &Facts) -> Owned {
    Owned { mode: facts.mode, uid: facts.uid, gid: facts.gid }
}

impl Walk {
    fn directory(&mut self, root: RootId, dir: &Dir, path: Option<&RelPath>, depth: usize) -> Result<(), Error> {
        let here = dir.own_facts()?;
        if self.outside.is_some_and(|Outside(out)| (out.inode, out.device) == (here.inode, here.device)) {
            return Err(Error::new(format!("the backup would lie in the tree itself: {}", dir.path().display()))
                .hint("give a place outside of the tree with --out"));
        }
        if depth > DEEPEST {
            return Err(Error::new(format!("{} is more than {DEEPEST} directories deep", dir.path().display()))
                .hint("check --dir: no tree of kpki is so deep"));
        }
        let mut entries = dir.list()?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let below = |name: &str| path.map_or_else(|| name.to_owned(), |path| format!("{path}/{name}"));
            let Some(name) = entry.name.to_str() else {
                let path = below(&entry.name.to_string_lossy());
                let what = "a name that is not UTF-8".to_owned();
                self.all.manifest.left_out.push(LeftOut { root, path, what });
                continue;
            };
            let path = RelPath::parse(below(name))?;
            if root == RootId::Main && path.as_str() == LOCK {
                continue;
            }
            // Another program has removed it meanwhile.
            let Some(facts) = dir.facts(name)? else { continue };
            match facts.what {
                What::File => self.file(root, dir, name, path)?,
                What::Directory => {
                    let Some(child) = dir.child(name)? else { continue };
                    let owned = owned(&facts);
                    self.all.manifest.directories.push(BackedDirectory { root, path: path.clone(), owned });
                    self.directory(root, &child, Some(&path), depth + 1)?;
                }
                what => {
                    let path = path.as_str().to_owned();
                    self.all.manifest.left_out.push(LeftOut { root, path, what: what.to_string() });
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, root: RootId, dir: &Dir, name: &str, path: RelPath) -> Result<(), Error> {
        let read = files::read(dir, &RelPath::parse(name)?, self.left).map_err(|why| match why.kind {
            Kind::TooLarge(_) => {
                Error::new(format!("the tree has more than {} MiB, with {}", LIMIT >> 20, why.path.display()))
                    .hint("check --dir, or move out of the tree what does not belong there")
            }
            _ => why.into(),
        });
        // Another program has removed it meanwhile.
        let FileState::File { bytes, mode, uid, gid } = read? else { return Ok(()) };
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(size);
        let (owned, sha256) = (Owned { mode, uid, gid }, Sha256(sha256(&bytes)));
        self.all.manifest.files.push(BackedFile { root, path, owned, size, sha256 });
        self.all.contents.push(bytes);
        Ok(())
    }
}

impl Collected {
    /// The archive: the manifest, the directories, the files. `mtime` in seconds since 1970.
    pub fn pack(&self, mtime: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
        let failed = || Error::new("cannot make the backup");
        let text = self.manifest.render().map_err(|why| failed().because(why))?;
        let Manifest { roots, directories, files, .. } = &self.manifest;
        let root = |one: &BackedRoot| (one.root.name().to_owned(), one.owned, None);
        let directory = |one: &BackedDirectory| (member(one.root, &one.path), one.owned, None);
        let first = (NAME.to_owned(), Owned { mode: 0o600, uid: 0, gid: 0 }, Some(text.as_slice()));
        let files = files.iter().zip(&self.contents);
        let files = files.map(|(one, bytes)| (member(one.root, &one.path), one.owned, Some(bytes.as_slice())));
        let all: Vec<(String, Owned, Option<&[u8]>)> = std::iter::once(first)
            .chain(roots.iter().map(root))
            .chain(directories.iter().map(directory))
            .chain(files)
            .collect();
        let members = all.iter().map(|(path, Owned { mode, uid, gid }, content)| Member {
            path,
            mode: *mode,
            uid: *uid,
            gid: *gid,
            content: *content,
        });
        tree_archive::write(&members.collect::<Vec<_>>(), mtime).map_err(|why| failed().because(why))
    }

    /// The bytes of a file below a root.
    pub fn file(&self, root: RootId, path: &str) -> Option<&[u8]> {
        let at = self.manifest.files.iter().position(|one| one.root == root && one.path.as_str() == path)?;
        self.contents.get(at).map(|bytes| bytes.as_slice())
    }
}
