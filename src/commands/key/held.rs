//! What is in a directory of an authority's key.

use crate::catalog::CaId;
use crate::error::Error;
use crate::store::RootId;
use crate::workspace::key_copies::{self, KeyFile};
use crate::workspace::key_places::KeyPlace;
use crate::workspace::{Session, journal};
use crate::x509::Certificate;

/// One authority with every file that holds its key.
#[derive(Debug)]
pub struct Held {
    pub authority: CaId,
    pub place: KeyPlace,
    /// The certificates of its file, the one that signs first.
    pub bundle: Vec<Certificate>,
    /// The tree's own file, below DIR.
    pub path: String,
    pub own: Option<KeyFile>,
    /// In `.kpki`.
    pub copies: Vec<KeyFile>,
    /// In `.kpki`, encrypted and in no authority's place: only their passphrase says whose they are.
    pub unknown: Vec<KeyFile>,
    /// Other files of the tree that hold the key in plain.
    pub strays: Vec<KeyFile>,
}

impl Held {
    /// The key itself, or a copy in `.kpki`, is plain.
    pub fn is_plain_somewhere(&self) -> bool {
        self.own.iter().chain(&self.copies).any(|file| !file.is_encrypted)
    }

    /// The profile has it elsewhere, and something of it is below the directory.
    pub fn is_left(&self) -> bool {
        let is_here = self.own.is_some() || !self.strays.is_empty() || self.is_plain_somewhere();
        self.place.at().is_some() && is_here
    }

    pub fn is_encrypted(&self) -> bool {
        self.place == KeyPlace::Encrypted
    }

    /// In the words of the journal.
    pub fn key_id(&self) -> Option<String> {
        self.bundle.first().and_then(|one| journal::key_id(&one.spki_der))
    }
}

/// All authorities of a tree.
pub fn look(session: &Session<'_>) -> Result<Vec<Held>, Error> {
    let tree = &session.tree;
    let snapshot = tree.peek(std::iter::empty())?;
    let mut files: Vec<(KeyFile, Vec<CaId>)> = Vec::new();
    for file in key_copies::all(&tree.roots)? {
        let key = if file.is_encrypted { None } else { file.plain() };
        let is_of = |id: &CaId| {
            let by_key = key.as_ref().is_some_and(|key| snapshot.bundle(*id).iter().any(|one| key.matches(one)));
            by_key || (file.root == RootId::State && file.is_at_place_of(*id))
        };
        let owners: Vec<CaId> = CaId::ALL.into_iter().filter(is_of).collect();
        files.push((file, owners));
    }
    let is_unknown =
        |(file, owners): &&(KeyFile, Vec<CaId>)| file.root == RootId::State && file.is_encrypted && owners.is_empty();
    let unknown: Vec<KeyFile> = files.iter().filter(is_unknown).map(|(file, _)| file.clone()).collect();
    let one = |authority: CaId| {
        let path = tree.directories.authority(authority).1.map(|place| place.path).unwrap_or_default();
        let is_own = |file: &KeyFile| file.root == RootId::Main && file.path.as_str() == path;
        let its = |root: RootId| {
            let its = files.iter().filter(move |(file, owners)| file.root == root && owners.contains(&authority));
            its.map(|(file, _)| file)
        };
        Held {
            authority,
            place: KeyPlace::of(session.profile(), &tree.directories, &snapshot.survey, authority),
            bundle: snapshot.bundle(authority).to_vec(),
            own: files.iter().map(|(file, _)| file).find(|file| is_own(file)).cloned(),
            copies: its(RootId::State).cloned().collect(),
            unknown: unknown.clone(),
            strays: its(RootId::Main).filter(|file| !is_own(file)).cloned().collect(),
            path,
        }
    };
    Ok(CaId::ALL.into_iter().map(one).collect())
}
