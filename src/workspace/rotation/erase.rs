//! Every copy of a private key that nobody is to have any more: in kpki's own state and in the generations it can be destroyed, in
//! use it can only be named.

use std::collections::BTreeSet;

use super::files;
use super::record::DIRECTORY;
use crate::ca::{CaError, PrivateKey};
use crate::encoding::key::KeyError;
use crate::encoding::{pem, raw_key};
use crate::error::Error;
use crate::files::{FileState, RelPath};
use crate::revocation::is_crl_file;
use crate::store::{self, RootId, Roots};
use crate::tree::Survey;
use crate::tree::entry_path::entry_of_path;
use crate::tree::file;
use crate::tree::rotation::{Identity, Rotating};
use crate::workspace::{Session, survey};
use crate::x509::parse_authority;

/// Where copies of some keys are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copies {
    /// In `.kpki/rotation/`: paths below `.kpki`.
    pub own: Vec<RelPath>,
    /// In generations: paths below `.kpki`.
    pub kept: Vec<RelPath>,
    /// In files of the tree, as messages show them: they are not destroyed.
    pub in_use: Vec<String>,
    /// Encrypted keys that do not open: whose they are is not known. Paths below `.kpki`.
    pub closed: Vec<RelPath>,
}

/// Opens an encrypted key of an authority; `None`: it does not open.
pub type Open<'a> = &'a dyn Fn(&[u8]) -> Option<PrivateKey>;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    It,
    Other,
    /// A key that cannot be opened.
    Closed,
}

/// The keys of these public keys.
#[derive(Debug, Clone, Default)]
pub struct Keys(BTreeSet<String>);

impl Keys {
    /// Those of the first ones that none of the others has.
    pub fn of<'i>(gone: impl Iterator<Item = &'i Identity>, stay: impl Iterator<Item = &'i Identity>) -> Self {
        let stay: BTreeSet<&str> = stay.map(|one| one.public_key.as_str()).collect();
        Self(gone.map(|one| one.public_key.clone()).filter(|key| !stay.contains(key.as_str())).collect())
    }

    /// A private key in PEM, in whatever container: the public half tells. `open`: encrypted ones; `None`: they are
    /// of no interest.
    fn find(&self, bytes: &[u8], open: Option<Open<'_>>) -> Found {
        if !bytes.windows(MARK.len()).any(|window| window == MARK) {
            return Found::Other;
        }
        let key = match (PrivateKey::from_pem(bytes), open) {
            (Ok(key), _) => Some(key),
            (Err(CaError::Key(KeyError::Encrypted)), Some(open)) => open(bytes),
            (Err(_), _) => return Found::Other,
        };
        match key.map(|key| self.0.contains(&Identity::of_public_key(&key.spki_der()).public_key)) {
            None => Found::Closed,
            Some(true) => Found::It,
            Some(false) => Found::Other,
        }
    }
}

/// The authorities of a tree's own file, or the keys of its sa.pub.
pub fn present(session: &Session<'_>, rotating: Rotating, survey: &Survey) -> Vec<Identity> {
    let place = files::own_public(session, rotating);
    let bytes = file(survey, place.as_ref()).unwrap_or_default();
    match rotating {
        Rotating::Authority(_) => {
            parse_authority(bytes).unwrap_or_default().iter().map(Identity::of_certificate).collect()
        }
        Rotating::ServiceAccount => {
            let keys = pem::read(bytes).map(|blocks| raw_key::public_keys(&blocks)).unwrap_or_default();
            keys.iter().map(|spki| Identity::of_public_key(spki)).collect()
        }
    }
}

/// The keys that generations keep at the place of this authority's key, and that none of the present ones has. Without any present
/// one nothing says which are in use.
pub fn unused(session: &Session<'_>, rotating: Rotating, present: &[Identity]) -> Result<Vec<Identity>, Error> {
    let roots = &session.tree.roots;
    let mut found: Vec<Identity> = Vec::new();
    let all = if present.is_empty() { Vec::new() } else { store::kept_files(roots)? };
    for path in all.iter().filter(|path| is_key_of(path, rotating)) {
        let Some(bytes) = survey::read(roots, RootId::State, path)? else { continue };
        let Ok(key) = PrivateKey::from_pem(&bytes) else { continue };
        let identity = Identity::of_public_key(&key.spki_der());
        if !present.iter().chain(&found).any(|one| one.public_key == identity.public_key) {
            found.push(identity);
        }
    }
    Ok(found)
}

/// `path`: `generations/NAME/ROOT/PATH`.
fn is_key_of(path: &RelPath, rotating: Rotating) -> bool {
    let place: Vec<&str> = path.components().skip(3).collect();
    let place = place.join("/");
    let Some(stem) = place.strip_suffix(".key") else { return false };
    match rotating {
        Rotating::Authority(_) => entry_of_path(&format!("{stem}.crt")).is_some_and(|id| id.name == rotating.name()),
        Rotating::ServiceAccount => stem.rsplit('/').next() == Some(rotating.name()),
    }
}

const MARK: &[u8] = b"PRIVATE KEY";

/// Looks for copies. `survey`: the tree's own files.
///
/// # Errors
/// A directory or a file in `.kpki` cannot be read: then it is not known what is in it.
pub fn copies(
    roots: &Roots,
    rotating: Rotating,
    keys: &Keys,
    survey: &Survey,
    open: Open<'_>,
) -> Result<Copies, Error> {
    let mut all = Copies::default();
    if keys.0.is_empty() {
        return Ok(all);
    }
    for name in survey::names(&roots.main, &format!(".kpki/{DIRECTORY}"))? {
        let path = RelPath::parse(format!("{DIRECTORY}/{name}"))?;
        if path.as_str().ends_with(".key") {
            let is_own = name.split('.').next() == Some(rotating.name());
            let open = open_if(is_own, open);
            sort(roots, (keys, open), path, (&mut all.own, &mut all.closed))?;
        }
    }
    for path in store::kept_files(roots)?.into_iter().filter(|path| !is_crl_file(path.as_str())) {
        let open = open_if(is_key_of(&path, rotating), open);
        sort(roots, (keys, open), path, (&mut all.kept, &mut all.closed))?;
    }
    for (place, state) in survey {
        if let FileState::File { bytes, .. } = state
            && keys.find(bytes, Some(open)) == Found::It
        {
            all.in_use.push(place.full(roots).display().to_string());
        }
    }
    Ok(all)
}

/// Encrypted keys at the places of others are not the one that is sought.
fn open_if(is_own: bool, open: Open<'_>) -> Option<Open<'_>> {
    is_own.then_some(open)
}

fn sort(
    roots: &Roots,
    (keys, open): (&Keys, Option<Open<'_>>),
    path: RelPath,
    (its, closed): (&mut Vec<RelPath>, &mut Vec<RelPath>),
) -> Result<(), Error> {
    let Some(bytes) = survey::read(roots, RootId::State, &path)? else { return Ok(()) };
    match keys.find(&bytes, open) {
        Found::It => its.push(path),
        Found::Closed => closed.push(path),
        Found::Other => {}
    }
    Ok(())
}
