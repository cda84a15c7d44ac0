//! A node's files in a directory: its `/etc/kubernetes`, or a root with `etc/kubernetes` and the kubelet's own directory in it.

use std::path::{Path, PathBuf};

use super::bounds::{LARGEST_FILE, PASSED_OVER};
use super::request::NodeInput;
use crate::error::Error;
use crate::files::{self, Dir, FileError, FileState, Kind, RelPath, What};
use crate::plan::adopt::{NodeFiles, Raw, RawKind};
use crate::tree::{Place, Root};

/// A node has a hundred; kubeadm's backups in `tmp/` are more.
const MOST: usize = 4096;
const DEEPEST: usize = 16;
/// What is read of all files together.
const LARGEST_SUM: usize = 32 << 20;

pub fn read(input: &NodeInput) -> Result<NodeFiles, Error> {
    let (main, kubelet) = roots(&input.path);
    let mut walk = Walk::default();
    walk.root(&main, Root::Main)?;
    if let Some(kubelet) = &kubelet {
        walk.root(kubelet, Root::Kubelet)?;
    }
    let prefix = |dir: &Path| format!("{}/", dir.display().to_string().trim_end_matches('/'));
    let prefixes = [prefix(&main), kubelet.as_deref().map(prefix).unwrap_or_default()];
    Ok(NodeFiles::of(input.path.display().to_string(), prefixes, input.name.clone(), walk.found))
}

/// The node's `/etc/kubernetes`, and the kubelet's own directory where it is there.
fn roots(given: &Path) -> (PathBuf, Option<PathBuf>) {
    let is_dir = |path: &PathBuf| files::what(None, path) == Some(What::Directory);
    let below = given.join("etc/kubernetes");
    let (main, root) = match is_dir(&below) {
        true => (below, Some(given.to_path_buf())),
        false if given.ends_with("etc/kubernetes") => {
            (given.to_path_buf(), given.parent().and_then(Path::parent).map(Path::to_path_buf))
        }
        false => (given.to_path_buf(), None),
    };
    (main, root.map(|root| root.join("var/lib/kubelet/pki")).filter(is_dir))
}

#[derive(Default)]
struct Walk {
    found: Vec<Raw>,
    sum: usize,
}

impl Walk {
    fn root(&mut self, path: &Path, root: Root) -> Result<(), Error> {
        let dir = Dir::open_root(path)?;
        self.directory(&dir, "", root, 0)
    }

    fn directory(&mut self, dir: &Dir, below: &str, root: Root, depth: usize) -> Result<(), Error> {
        let mut entries = dir.list()?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let Some(name) = entry.name.to_str() else {
                let shown = entry.name.to_string_lossy().into_owned();
                self.add(root, format!("{below}{shown}"), RawKind::Other("its name is no UTF-8".to_owned()));
                continue;
            };
            if self.found.len() >= MOST || depth > DEEPEST {
                return Err(Error::new(format!("{} is not a node's directory", dir.path().display()))
                    .because(format!("expected at most {MOST} files, {DEEPEST} directories deep, found more"))
                    .hint("give the node's /etc/kubernetes, or a root with etc/kubernetes in it"));
            }
            let path = format!("{below}{name}");
            let what = match entry.what {
                What::Unknown => dir.facts(name)?.map_or(What::Unknown, |facts| facts.what),
                what => what,
            };
            match what {
                What::Directory if root == Root::Main && below.is_empty() && PASSED_OVER.contains(&name) => {
                    self.add(root, path, RawKind::PassedOver);
                }
                What::Directory => {
                    if let Some(child) = dir.child(name)? {
                        self.directory(&child, &format!("{path}/"), root, depth + 1)?;
                    }
                }
                What::Symlink => {
                    let target = files::link(&dir.path_of(name)).unwrap_or_default();
                    self.add(root, path, RawKind::Link(target.to_string_lossy().into_owned()));
                }
                What::File => {
                    let kind = self.file(dir, name)?;
                    self.add(root, path, kind);
                }
                other => self.add(root, path, RawKind::Other(other.to_string())),
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &Dir, name: &str) -> Result<RawKind, Error> {
        match files::read(dir, &RelPath::parse(name)?, LARGEST_FILE) {
            Ok(FileState::File { bytes, .. }) => {
                self.sum = self.sum.saturating_add(bytes.len());
                if self.sum > LARGEST_SUM {
                    return Err(Error::new(format!("{} is not a node's directory", dir.path().display()))
                        .because(format!("expected at most {LARGEST_SUM} bytes in all files together, found more"))
                        .hint("give the node's /etc/kubernetes, or a root with etc/kubernetes in it"));
                }
                Ok(RawKind::File(bytes))
            }
            Ok(FileState::Missing) => Ok(RawKind::Other("it went away".to_owned())),
            Err(FileError { kind: kind @ Kind::TooLarge(_), .. }) => Ok(RawKind::Other(kind.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    fn add(&mut self, root: Root, path: String, what: RawKind) {
        self.found.push(Raw { place: Place { root, path }, what });
    }
}
