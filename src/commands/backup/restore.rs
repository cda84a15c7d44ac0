//! Puts the tree of a backup where there is none.

use std::path::Path;

use super::request::RestoreRequest;
use super::summary::summary;
use crate::encoding::pem;
use crate::error::Error;
use crate::files::{self, Dir, FileError, Kind, Op, RelPath};
use crate::kubeconfig::{self, Credentials};
use crate::report::backup::{Moved, Restored};
use crate::store::{self, RootId, StoreError, WholeTree};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::backup::{Contents, Judged, Manifest, damaged, judge, open};
use crate::workspace::passwords::Passwords;
use crate::workspace::survey;

/// Bits of a directory that are put back; those of a file are its permissions alone.
const OF_DIRECTORY: u32 = 0o3777;
const OF_FILE: u32 = 0o777;
/// Of a file with a private key that others could read.
const OF_KEY: u32 = 0o700;

pub fn run(request: RestoreRequest, passwords: &mut dyn Passwords) -> Result<Restored, Error> {
    let dir = &request.dir;
    // Before a passphrase is asked for.
    vacant(dir)?;
    let opened = open(request.source, passwords)?;
    let contents = Contents::read(&opened.archive).map_err(|why| damaged(&opened.name).because(why))?;
    fits(dir, &contents.manifest)?;
    let judged = judge(&contents, request.keys.as_deref().map(String::as_str));
    store::create_whole(dir, &tree(&contents)?).map_err(|why| match why {
        StoreError::Exist(_) | StoreError::MadeMeanwhile(_) => refused(dir, why.into()),
        why => not_restored(dir, why.into()),
    })?;
    let manifest = &contents.manifest;
    Ok(Restored {
        to: dir.display().to_string(),
        moved: moved(manifest, dir),
        warnings: warnings(&contents, &judged, dir),
        summary: summary(manifest, &judged),
    })
}

/// Never over a tree.
fn vacant(dir: &Path) -> Result<(), Error> {
    let empty = |dir: Dir| dir.list().map(|entries| entries.is_empty());
    match survey::open(dir)?.map(empty).transpose()? {
        None | Some(true) => Ok(()),
        Some(false) => Err(refused(dir, FileError::new(Op::MakeDir, dir, Kind::Exists).into())),
    }
}

/// A certificatesDir outside: in a directory that is called as a node's, every verb looks for it where the node has it.
fn fits(dir: &Path, manifest: &Manifest) -> Result<(), Error> {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    let is_node = absolute.ends_with(DEFAULT_DIR.trim_start_matches('/'));
    match manifest.roots.iter().find(|root| root.root == RootId::Certificates).filter(|_| is_node) {
        None => Ok(()),
        Some(root) => Err(Error::new(format!("cannot restore to {}", dir.display()))
            .because(format!("the certificates lay outside of the tree, in {}, and go to pki/ in it", root.path))
            .because("in a directory called etc/kubernetes they are looked for where the node has them")
            .hint("give a directory of another name with --dir, and put its files in their places on the node")),
    }
}

fn not_restored(dir: &Path, why: Error) -> Error {
    let hints = why.hints.clone();
    Error { exit: why.exit, hints, ..Error::new(format!("cannot restore to {}", dir.display())) }.because(why)
}

fn refused(dir: &Path, why: Error) -> Error {
    let nothing = format!("cannot restore to {}: a backup goes to a directory that is absent or empty", dir.display());
    Error { exit: why.exit, ..Error::new(nothing) }.because(why).hint("give another one with --dir")
}

/// Where the members of a root go below DIR. Those of the kubelet and of a certificatesDir outside go where every verb looks
/// for them in a directory that is not /etc/kubernetes.
const fn base(root: RootId) -> &'static str {
    match root {
        RootId::Main | RootId::State => "",
        RootId::Kubelet => "kubelet/",
        RootId::Certificates => "pki/",
    }
}

fn tree<'a>(contents: &Contents<'a>) -> Result<WholeTree<'a>, Error> {
    let Manifest { roots, directories, files, .. } = &contents.manifest;
    let place = |root: RootId, path: &RelPath| RelPath::parse(format!("{}{path}", base(root)));
    let mut tree = WholeTree { mode: 0o755, directories: Vec::new(), files: Vec::new() };
    for root in roots {
        match base(root.root).strip_suffix('/') {
            None => tree.mode = root.owned.mode & OF_DIRECTORY,
            Some(name) if directories.iter().any(|one| one.root == RootId::Main && one.path.is_within(name)) => {
                return Err(Error::new(format!("two directories would be restored to {name}/"))
                    .because(format!("the tree has {name}/, and {} lay outside of it", root.path))
                    .hint("unpack the archive by hand: docs/reference/backup.md says how"));
            }
            Some(name) => tree.directories.push((RelPath::parse(name)?, root.owned.mode & OF_DIRECTORY)),
        }
    }
    for one in directories {
        tree.directories.push((place(one.root, &one.path)?, one.owned.mode & OF_DIRECTORY));
    }
    for one in files {
        if let Some(bytes) = contents.file(one.root, one.path.as_str()) {
            let mask = if is_open(one.owned.mode, bytes) { OF_KEY } else { OF_FILE };
            tree.files.push((place(one.root, &one.path)?, one.owned.mode & mask, bytes));
        }
    }
    Ok(tree)
}

/// A private key in it could be read by somebody else.
fn is_open(mode: u32, bytes: &[u8]) -> bool {
    let embeds = || matches!(kubeconfig::read(bytes).map(|read| read.credentials), Ok(Credentials::Embedded { .. }));
    mode & 0o077 != 0 && (pem::holds_private_key(bytes) || embeds())
}

/// The kubelet's directory, which is not where it was.
fn moved(manifest: &Manifest, dir: &Path) -> Vec<Moved> {
    let outer = manifest.roots.iter().filter(|root| !base(root.root).is_empty());
    let to = |root: RootId| dir.join(base(root).trim_end_matches('/')).display().to_string();
    outer.map(|root| Moved { from: root.path.clone(), to: to(root.root) }).collect()
}

fn warnings(contents: &Contents<'_>, judged: &Judged, dir: &Path) -> Vec<String> {
    let (manifest, mut warnings) = (&contents.manifest, Vec::new());
    let bytes = |root: RootId, path: &RelPath| contents.file(root, path.as_str());
    let open = manifest.files.iter();
    let open = open.filter(|one| bytes(one.root, &one.path).is_some_and(|bytes| is_open(one.owned.mode, bytes)));
    warnings.extend(open.map(|one| {
        let path = format!("{}{}", base(one.root), one.path);
        format!(
            "{path} has a private key and had the mode {:04o}: only its owner may read it now",
            one.owned.mode & OF_FILE
        )
    }));
    if let Some(kubelet) = &judged.kubelet_dir {
        warnings.push(format!(
            "the tree records {kubelet} as the kubelet's own directory: give --kubelet-dir where that is wrong"
        ));
    }
    let ours = files::owner(dir);
    let others = manifest.files.iter().filter(|one| Some(one.owned.uid) != ours).count();
    if others > 0 {
        warnings.push(format!("{others} files belonged to another user: they belong to who has restored them"));
    }
    warnings
}
