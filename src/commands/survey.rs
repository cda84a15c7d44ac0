//! Reads what already lies where a verb would write.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{self, Dir, FileError, Kind, RelPath};
use crate::plan::decision::{FileState, Survey};
use crate::plan::layout::{Place, Root};
use crate::store::{RootId, Roots};
use zeroize::Zeroizing;

/// A certificate bundle or kubeconfig larger than this is not one.
const LARGEST: u64 = 4 << 20;

/// Every place, read or found missing; anything else in the way is an error.
pub fn survey<'a>(roots: &Roots, places: impl Iterator<Item = &'a Place>) -> Result<Survey, Error> {
    let main = open(&roots.main)?;
    let kubelet = roots.kubelet.as_deref().map(open).transpose()?.flatten();
    let mut survey = Survey::new();
    for place in places {
        let root = match place.root {
            Root::Main => main.as_ref(),
            Root::Kubelet => kubelet.as_ref(),
        };
        let found = match root {
            None => FileState::Missing,
            Some(dir) => files::read(dir, &RelPath::parse(place.path.as_str())?, LARGEST)?,
        };
        survey.insert(place.clone(), found);
    }
    Ok(survey)
}

/// One file's bytes; `None`: it is not there.
pub fn read(roots: &Roots, root: RootId, path: &RelPath) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let dir = match root {
        RootId::Kubelet => roots.kubelet.as_deref(),
        RootId::Main | RootId::State => Some(roots.main.as_path()),
    };
    let Some(dir) = dir.map(open).transpose()?.flatten() else { return Ok(None) };
    let below = match root {
        RootId::State => RelPath::parse(format!(".kpki/{path}"))?,
        RootId::Main | RootId::Kubelet => path.clone(),
    };
    read_below(&dir, &below)
}

/// The same below an open directory.
pub fn read_below(dir: &Dir, path: &RelPath) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match files::read(dir, path, LARGEST)? {
        FileState::Missing => Ok(None),
        FileState::File { bytes, .. } => Ok(Some(bytes)),
    }
}

/// A directory a person named; `None`: there is none.
pub fn open(path: &Path) -> Result<Option<Dir>, FileError> {
    match Dir::open_root(path) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind == Kind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

/// The roots of a tree: DIR, and the kubelet's directory when it lies outside.
pub fn roots(main: &Path, kubelet: Option<&Path>) -> Roots {
    Roots { main: PathBuf::from(main), kubelet: kubelet.map(PathBuf::from) }
}

/// The names in a directory below a root, sorted; none when it is not there.
pub fn names(root: &Path, below: &str) -> Result<Vec<String>, Error> {
    let Some(root) = open(root)? else { return Ok(Vec::new()) };
    let Some(dir) = root.child(below)? else { return Ok(Vec::new()) };
    let mut names: Vec<String> =
        dir.list()?.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
