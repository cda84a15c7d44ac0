//! Where an authority's key is, by the profile and the tree's own file.

use crate::catalog::CaId;
use crate::keys;
use crate::profile::{CaKeys, KeyFrom, KeyOptions, PassphraseFrom, Profile, Signing};
use crate::tree::{Directories, Survey, file};
use crate::workspace::Session;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// There is no such authority.
    Missing,
    /// It has a certificate here and no key.
    External,
    /// The tree's own file.
    Plain,
    Encrypted,
    /// A file elsewhere.
    File(String),
    /// A program writes it.
    Command(String),
    /// A program signs with it.
    Signer(String),
    /// A program has certificates issued.
    Issuer(String),
}

impl KeyPlace {
    pub fn of(profile: Option<&Profile>, directories: &Directories, survey: &Survey, authority: CaId) -> Self {
        let (public, private) = directories.authority(authority);
        if let Some(elsewhere) = Self::elsewhere(profile, authority) {
            return elsewhere;
        }
        match (file(survey, Some(&public)), file(survey, private.as_ref())) {
            (None, _) => Self::Missing,
            (Some(_), None) => Self::External,
            (Some(_), Some(key)) if keys::is_encrypted(key) => Self::Encrypted,
            (Some(_), Some(_)) => Self::Plain,
        }
    }

    /// What the profile says, where that is not the tree's own file.
    pub fn elsewhere(profile: Option<&Profile>, authority: CaId) -> Option<Self> {
        let program = |words: &[String]| words.first().cloned().unwrap_or_default();
        Some(match signing(profile, authority)? {
            Signing::Key(KeyOptions { from: KeyFrom::Tree, .. }) => return None,
            Signing::Key(KeyOptions { from: KeyFrom::File(path), .. }) => Self::File(path.clone()),
            Signing::Key(KeyOptions { from: KeyFrom::Command { words, .. }, .. }) => Self::Command(program(words)),
            Signing::Signer(signer) => Self::Signer(program(&signer.command)),
            Signing::Issuer(issuer) => Self::Issuer(program(&issuer.command)),
        })
    }

    /// One word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::External => "external",
            Self::Plain => "plain",
            Self::Encrypted => "encrypted",
            Self::File(_) => "file",
            Self::Command(_) => "command",
            Self::Signer(_) => "signer",
            Self::Issuer(_) => "issuer",
        }
    }

    /// The file or the program elsewhere.
    pub fn at(&self) -> Option<&str> {
        match self {
            Self::File(at) | Self::Command(at) | Self::Signer(at) | Self::Issuer(at) => Some(at),
            Self::Missing | Self::External | Self::Plain | Self::Encrypted => None,
        }
    }
}

fn signing(profile: Option<&Profile>, authority: CaId) -> Option<&Signing> {
    profile?.authorities.get(&authority)?.signing.as_ref()
}

/// How the profile says where the passphrase of a key is.
pub fn stated_passphrase(profile: Option<&Profile>, authority: CaId) -> Option<String> {
    match signing(profile, authority)? {
        Signing::Key(KeyOptions { passphrase: Some(PassphraseFrom::File(path)), .. }) => {
            Some(format!("passphraseFile: {path}"))
        }
        Signing::Key(KeyOptions { passphrase: Some(PassphraseFrom::Variable(name)), .. }) => {
            Some(format!("passphraseEnv: {name}"))
        }
        _ => None,
    }
}

/// Who reads the tree's own key files in plain; `None`: only kpki.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainReader {
    /// The tree is one node's.
    Node,
    /// Nodes get copies.
    Copies,
}

pub fn plain_reader(session: &Session<'_>) -> Option<PlainReader> {
    let is_cluster = session.credentials.iter().any(|one| one.id.node.is_some());
    match session.profile() {
        _ if !is_cluster => Some(PlainReader::Node),
        Some(profile) if profile.ca_keys != CaKeys::Nowhere => Some(PlainReader::Copies),
        _ => None,
    }
}
