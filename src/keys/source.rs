//! Where the key of one authority is, by the profile and the command line. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::args::{GivenKey, KeyArgs};
use crate::catalog::CaId;
use crate::profile::{AuthorityOptions, KeyFrom, KeyOptions, PassphraseFrom, Profile, SignerOptions, Signing};

/// How an authority signs without a plain key in the tree.
#[derive(Debug, Clone)]
pub enum Source {
    Key { from: KeyAt, passphrase: Option<PassphraseFrom> },
    Signer(SignerOptions),
}

#[derive(Clone)]
pub enum KeyAt {
    /// The tree's own file, if it is encrypted.
    Tree,
    Given(GivenKey),
    Command(Vec<String>),
}

impl fmt::Debug for KeyAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(""))
    }
}

impl KeyAt {
    /// For messages. `tree`: the path of the tree's own file.
    pub fn shown(&self, tree: &str) -> String {
        match self {
            Self::Tree => tree.to_owned(),
            Self::Given(GivenKey::File(path)) => path.display().to_string(),
            Self::Given(GivenKey::Pem(_)) => "standard input".to_owned(),
            Self::Command(words) => format!("the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

impl From<&KeyFrom> for KeyAt {
    fn from(stated: &KeyFrom) -> Self {
        match stated {
            KeyFrom::Tree => Self::Tree,
            KeyFrom::File(path) => Self::Given(GivenKey::File(PathBuf::from(path))),
            KeyFrom::Command(words) => Self::Command(words.clone()),
        }
    }
}

/// The sources of all authorities. `encrypted`: an encrypted file of the tree may be one.
pub fn sources(profile: Option<&Profile>, args: &KeyArgs, encrypted: bool) -> BTreeMap<CaId, Source> {
    let one = |authority: CaId| {
        let stated = profile.and_then(|profile| profile.authorities.get(&authority)?.signing.as_ref());
        let key = |from, stated: Option<&PassphraseFrom>| {
            Some(Source::Key { from, passphrase: stated.or(args.passphrase.as_ref()).cloned() })
        };
        let source = match (args.keys.get(&authority), stated) {
            (Some(given), Some(Signing::Key(KeyOptions { passphrase, .. }))) => {
                key(KeyAt::Given(given.clone()), passphrase.as_ref())
            }
            (Some(given), _) => key(KeyAt::Given(given.clone()), None),
            (None, Some(Signing::Signer(signer))) => Some(Source::Signer(signer.clone())),
            (None, Some(Signing::Issuer(_))) => None,
            (None, Some(Signing::Key(KeyOptions { from, passphrase }))) => key(KeyAt::from(from), passphrase.as_ref()),
            (None, None) => key(KeyAt::Tree, None).filter(|_| encrypted),
        };
        Some((authority, source?))
    };
    CaId::ALL.into_iter().filter_map(one).collect()
}

/// Those of the authorities that are to take their place.
pub fn next_sources(profile: Option<&Profile>, args: &KeyArgs) -> BTreeMap<CaId, Source> {
    let all = profile.into_iter().flat_map(|profile| &profile.authorities);
    let one = |(authority, options): (&CaId, &AuthorityOptions)| {
        let source = match options.next.as_ref()? {
            Signing::Signer(signer) => Source::Signer(signer.clone()),
            Signing::Key(KeyOptions { from, passphrase }) => {
                let passphrase = passphrase.as_ref().or(args.passphrase.as_ref()).cloned();
                Source::Key { from: KeyAt::from(from), passphrase }
            }
            Signing::Issuer(_) => return None,
        };
        Some((*authority, source))
    };
    all.filter_map(one).collect()
}
