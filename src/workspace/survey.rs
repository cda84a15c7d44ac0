//! Reads the existing files where a verb would write.

use std::path::Path;

use crate::ca::{CaError, PrivateKey};
use crate::error::{Error, opened};
use crate::files::{self, Dir, FileError, FileState, Kind, Op, RelPath};
use crate::store::{RootId, Roots};
use crate::tree::Survey;
use crate::tree::layout::{Place, Root};
use zeroize::Zeroizing;

/// The size limit of files named on the command line.
pub const LARGEST_INPUT: u64 = 128 << 20;
/// A larger file is not a key.
const LARGEST_KEY: u64 = 1 << 20;
/// A certificate bundle or kubeconfig larger than this is not one.
const LARGEST: u64 = 4 << 20;

/// What cannot be looked at is there: the reader of it reports that.
pub fn is_missing(roots: &Roots, place: &Place) -> bool {
    let found = survey(roots, std::iter::once(place));
    found.is_ok_and(|found| found.get(place).is_none_or(|state| *state == FileState::Missing))
}

/// Every place, read or found missing; anything else in the way is an error.
pub fn survey<'a>(roots: &Roots, places: impl Iterator<Item = &'a Place>) -> Result<Survey, Error> {
    let main = open(&roots.main)?;
    let outside = |root: RootId| roots.outside(root).map(open).transpose().map(Option::flatten);
    let (kubelet, certificates) = (outside(RootId::Kubelet)?, outside(RootId::Certificates)?);
    let mut survey = Survey::new();
    for place in places {
        let root = match place.root {
            Root::Main => main.as_ref(),
            Root::Kubelet => kubelet.as_ref(),
            Root::Certificates => certificates.as_ref(),
        };
        let found = match root {
            None => FileState::Missing,
            Some(dir) => files::read(dir, &RelPath::parse(place.path.as_str())?, LARGEST)?,
        };
        survey.insert(place.clone(), found);
    }
    Ok(survey)
}

/// One file's bytes; `None`: it does not exist.
pub fn read(roots: &Roots, root: RootId, path: &RelPath) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let dir = match root {
        RootId::Kubelet | RootId::Certificates => roots.outside(root),
        RootId::Main | RootId::State => Some(roots.main.as_path()),
    };
    let Some(dir) = dir.map(open).transpose()?.flatten() else { return Ok(None) };
    match root {
        // A tree that kpki has not written to has no state.
        RootId::State if files::what(Some(&dir), Path::new(".kpki")).is_none() => Ok(None),
        RootId::State => {
            let below = RelPath::parse(format!(".kpki/{path}"))?;
            files::trusted(&dir.path_of(below.as_str()))?;
            read_below(&dir, &below)
        }
        RootId::Main | RootId::Kubelet | RootId::Certificates => read_below(&dir, path),
    }
}

/// A root as a directory; `None`: it does not exist.
pub fn root(roots: &Roots, root: RootId) -> Result<Option<Dir>, FileError> {
    match root {
        RootId::Main => open(&roots.main),
        RootId::State => open(&roots.main.join(".kpki")),
        RootId::Kubelet | RootId::Certificates => roots.outside(root).map_or(Ok(None), open),
    }
}

/// The same below an open directory.
pub fn read_below(dir: &Dir, path: &RelPath) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    match files::read(dir, path, LARGEST)? {
        FileState::Missing => Ok(None),
        FileState::File { bytes, .. } => Ok(Some(bytes)),
    }
}

/// The bytes of a file that was named on the command line, of at most so many.
pub fn input(path: &Path, largest: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    match files::read_input(path, largest)? {
        FileState::File { bytes, .. } => Ok(bytes),
        FileState::Missing => Err(FileError::new(Op::Read, path, Kind::Missing).into()),
    }
}

/// A private key that was named on the command line.
pub fn key(path: &Path) -> Result<PrivateKey, Error> {
    PrivateKey::from_pem(&input(path, LARGEST_KEY)?).map_err(|why| unfit_key(path, &why))
}

pub fn unfit_key(path: &Path, why: &CaError) -> Error {
    let hint = opened(path, why, "give KEY in its place")
        .unwrap_or_else(|| "give an unencrypted PEM key: PKCS#1, SEC1 or PKCS#8".to_owned());
    Error::new(format!("cannot use the key in {}", path.display())).because(why).hint(hint)
}

/// A directory from the command line; `None`: it does not exist.
pub fn open(path: &Path) -> Result<Option<Dir>, FileError> {
    match Dir::open_root(path) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind == Kind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in a directory below a root, sorted; empty if it does not exist.
pub fn names(root: &Path, below: &str) -> Result<Vec<String>, Error> {
    let Some(root) = open(root)? else { return Ok(Vec::new()) };
    let Some(dir) = root.child(below)? else { return Ok(Vec::new()) };
    let mut names: Vec<String> =
        dir.list()?.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}
