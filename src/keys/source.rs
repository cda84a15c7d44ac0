//! Where the key of one authority is, by the profile and the command line. Pure.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::args::{GivenKey, KeyArgs};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::profile::{
    AuthorityOptions, IssuerOptions, KeyFrom, KeyOptions, PassphraseFrom, Profile, SignerOptions, Signing,
};

/// How an authority signs without a plain key in the tree.
#[derive(Debug, Clone)]
pub enum Source {
    Key {
        from: KeyAt,
        passphrase: Option<PassphraseFrom>,
    },
    Signer(SignerOptions),
    /// Somebody else has the key.
    Issuer(IssuerOptions),
}

#[derive(Clone)]
pub enum KeyAt {
    /// The tree's own file, if it is encrypted.
    Tree,
    Given(GivenKey),
    Command(Vec<String>, Span),
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
            Self::Given(GivenKey::Pem(_)) => "standard input or a pipe".to_owned(),
            Self::Command(words, _) => format!("the command {}", words.first().map_or("", String::as_str)),
        }
    }
}

impl From<&KeyFrom> for KeyAt {
    fn from(stated: &KeyFrom) -> Self {
        match stated {
            KeyFrom::Tree => Self::Tree,
            KeyFrom::File(path) => Self::Given(GivenKey::File(PathBuf::from(path))),
            KeyFrom::Command { words, timeout } => Self::Command(words.clone(), *timeout),
        }
    }
}

/// The sources of all authorities. `encrypted`: an encrypted file of the tree may be one.
pub fn sources(profile: Option<&Profile>, args: &KeyArgs, encrypted: bool) -> BTreeMap<CaId, Source> {
    let one = |authority: CaId| {
        let stated = profile.and_then(|profile| profile.authorities.get(&authority)?.signing.as_ref());
        let key = |from, stated: Option<&PassphraseFrom>| {
            Some(Source::Key { from, passphrase: args.passphrase.as_ref().or(stated).cloned() })
        };
        let source = match (args.keys.get(&authority), stated) {
            (Some(given), Some(Signing::Key(KeyOptions { passphrase, .. }))) => {
                key(KeyAt::Given(given.clone()), passphrase.as_ref())
            }
            (Some(given), _) => key(KeyAt::Given(given.clone()), None),
            (None, Some(Signing::Signer(signer))) => Some(Source::Signer(signer.clone())),
            (None, Some(Signing::Issuer(issuer))) => Some(Source::Issuer(issuer.clone())),
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
                let passphrase = args.passphrase.as_ref().or(passphrase.as_ref()).cloned();
                Source::Key { from: KeyAt::from(from), passphrase }
            }
            Signing::Issuer(_) => return None,
        };
        Some((*authority, source))
    };
    all.filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{self, Overrides};
    use zeroize::Zeroizing;

    const STATED: &str = "apiVersion: kpki/v1\nkind: ClusterProfile\ncaKeys: none\nnodes: [{name: cp1, addresses: [10.0.0.1]}]\n\
        authorities:\n  ca: {key: {file: /k, passphraseFile: /p}}\n  etcd-ca: {signer: [/sign]}\n  front-proxy-ca: {issuer: [/issue]}\n";

    fn of(profile: Option<&str>, args: &KeyArgs, encrypted: bool) -> Vec<String> {
        let read = |text: &str| {
            profile::load(profile::Source { name: "p", bytes: text.as_bytes() }, &Overrides::default()).unwrap().profile
        };
        let all = sources(profile.map(read).as_ref(), args, encrypted);
        all.iter().map(|(authority, source)| format!("{} {source:?}", authority.name())).collect()
    }

    #[test]
    fn the_command_line_is_before_the_profile_and_the_profile_before_the_tree() {
        let plain = KeyArgs::default();
        assert_eq!(of(None, &plain, false), Vec::<String>::new());
        assert_eq!(of(None, &plain, true).len(), 3);
        let stated = of(Some(STATED), &plain, true);
        assert_eq!(stated.len(), 3, "{stated:?}");
        assert_eq!(stated[0], "ca Key { from: /k, passphrase: Some(File(\"/p\")) }");
        assert!(stated[1].starts_with("front-proxy-ca Issuer("), "{stated:?}");
        assert!(stated[2].starts_with("etcd-ca Signer("), "{stated:?}");
        let keys =
            BTreeMap::from([(CaId::Etcd, GivenKey::File("/e".into())), (CaId::Cluster, GivenKey::File("/c".into()))]);
        let given = KeyArgs { keys, ..plain };
        let all = of(Some(STATED), &given, true);
        // What the profile says of an authority's passphrase holds for a given key.
        assert_eq!(all[0], "ca Key { from: /c, passphrase: Some(File(\"/p\")) }");
        assert_eq!(all[2], "etcd-ca Key { from: /e, passphrase: None }");
        // A given passphrase is that of every key, whatever the profile says.
        let passphrase = Some(PassphraseFrom::Variable("V".to_owned()));
        let all = of(Some(STATED), &KeyArgs { passphrase: passphrase.clone(), ..given }, true);
        assert_eq!(all[0], "ca Key { from: /c, passphrase: Some(Variable(\"V\")) }");
        assert_eq!(all[2], "etcd-ca Key { from: /e, passphrase: Some(Variable(\"V\")) }");
        let all = of(Some(STATED), &KeyArgs { passphrase, ..KeyArgs::default() }, true);
        assert_eq!(all[0], "ca Key { from: /k, passphrase: Some(Variable(\"V\")) }");
        // An issuer's authority may be signed for with a given key.
        let keys = BTreeMap::from([(CaId::FrontProxy, GivenKey::Pem(Zeroizing::new(b"secret".to_vec())))]);
        let all = of(Some(STATED), &KeyArgs { keys, ..KeyArgs::default() }, true);
        assert!(all.iter().any(|one| one.contains("front-proxy-ca Key { from: standard input")), "{all:?}");
    }
}
