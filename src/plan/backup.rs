//! Whether what a backup holds is a whole tree: every authority with its key, every pair a pair, every CRL its authority's.

use std::collections::BTreeSet;

use crate::ca::{CaError, PrivateKey};
use crate::catalog::CaId;
use crate::encoding::key::KeyError;
use crate::encoding::pem;
use crate::files::FileState;
use crate::tree::layout::{Directories, Place};
use crate::tree::survey::{Survey, file};
use crate::tree::{Authority, PlainKeys, Unusable, authorities};
use crate::x509::{Certificate, Crl, decimal, parse_authority, parse_pem_bundle};

/// Where the key of an authority is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    Here,
    /// It is there, behind a passphrase that nobody was asked for.
    Encrypted,
    /// It is there, encrypted, and was opened.
    Opened,
    /// The profile says where it is, and that is not in the tree.
    Elsewhere(String),
    /// Elsewhere: nothing was ever signed with it in this tree.
    External,
    /// The tree has signed with it, and it is not there.
    Missing,
    /// It is there, or its certificate is, and the two cannot sign.
    Unusable(String),
}

/// An authority of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub authority: CaId,
    /// Of its certificate, below DIR.
    pub path: String,
    pub subject: Option<String>,
    pub key: KeyState,
    /// The number of its CRL, in decimal.
    pub list: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    pub authorities: Vec<Held>,
    /// Certificates whose key is beside them and theirs, those of the authorities among them.
    pub pairs: usize,
    /// What is missing or does not fit.
    pub problems: Vec<String>,
    /// Keys that are not in the tree, by its profile.
    pub left_out: Vec<String>,
    /// What could not be looked at.
    pub notes: Vec<String>,
}

/// Judges the files of a tree. `signs_here`: whether the tree has signed with this authority's key; `elsewhere`: where the profile says
/// that a key is; `open`: an encrypted key, where its passphrase is given.
pub fn judge(
    survey: &Survey,
    directories: &Directories,
    signs_here: impl Fn(&Certificate) -> bool,
    elsewhere: impl Fn(CaId) -> Option<String>,
    open: impl Fn(&[u8]) -> Option<Result<PrivateKey, String>>,
) -> Judgement {
    let mut judgement = Judgement::default();
    let mut known = BTreeSet::new();
    for (authority, found) in authorities::authorities(survey, directories, &PlainKeys) {
        let (public, private) = directories.authority(authority);
        known.extend(private.iter().cloned());
        let bundle = match &found {
            Authority::Unusable(Unusable::Ca(CaError::Key(KeyError::Encrypted))) => {
                parse_authority(file(survey, Some(&public)).unwrap_or_default()).unwrap_or_default()
            }
            _ => found.bundle().to_vec(),
        };
        let certificate = bundle.first();
        let key = match &found {
            Authority::Missing => continue,
            _ if certificate.is_some() && elsewhere(authority).is_some() => {
                KeyState::Elsewhere(elsewhere(authority).unwrap_or_default())
            }
            Authority::Unusable(_) if certificate.is_some() => {
                opened(file(survey, private.as_ref()).and_then(&open), certificate)
            }
            Authority::Local(_) => KeyState::Here,
            Authority::External(_) if certificate.is_some_and(&signs_here) => KeyState::Missing,
            Authority::External(_) | Authority::Closed(..) => KeyState::External,
            Authority::Unusable(why) => KeyState::Unusable(why.to_string()),
        };
        let name = authority.name();
        match &key {
            KeyState::Here | KeyState::Opened => judgement.pairs += 1,
            KeyState::Encrypted => judgement.notes.push(format!(
                "the key of {name} is encrypted and was not opened: it is worth nothing without its passphrase"
            )),
            KeyState::Elsewhere(at) => judgement.left_out.push(format!("the key of {name} ({at})")),
            KeyState::External => judgement.notes.push(format!("{name} is external: its key is not in the tree")),
            KeyState::Missing => judgement
                .problems
                .push(format!("the key of {name} is missing: the tree has signed with it, and nothing can renew it")),
            KeyState::Unusable(why) => judgement.problems.push(format!("{name} cannot sign: {why}")),
        }
        let list = match list(survey, &public, certificate) {
            Ok(number) => number,
            Err(why) => {
                judgement.problems.push(why);
                None
            }
        };
        let subject = certificate.map(|certificate| certificate.subject.to_string());
        judgement.authorities.push(Held { authority, path: public.path, subject, key, list });
    }
    other_pairs(survey, &known, &mut judgement);
    accounts(survey, directories, &mut judgement);
    judgement
}

fn opened(key: Option<Result<PrivateKey, String>>, certificate: Option<&Certificate>) -> KeyState {
    match key {
        None => KeyState::Encrypted,
        Some(Ok(key)) if certificate.is_some_and(|one| key.matches(one)) => KeyState::Opened,
        Some(Ok(_)) => KeyState::Unusable("its key opens, and is that of another certificate".to_owned()),
        Some(Err(why)) => KeyState::Unusable(format!("its key does not open: {why}")),
    }
}

/// The number of the CRL beside an authority's certificate.
fn list(survey: &Survey, public: &Place, issuer: Option<&Certificate>) -> Result<Option<String>, String> {
    let path = format!("{}.crl", public.path.strip_suffix(".crt").unwrap_or(&public.path));
    let place = Place { root: public.root, path };
    let Some(bytes) = file(survey, Some(&place)) else { return Ok(None) };
    let broken = |why: String| format!("{}: {why}", place.path);
    let blocks = pem::read(bytes).map_err(|why| broken(why.to_string()))?;
    let [block] = blocks.as_slice() else { return Err(broken(format!("expected one CRL, found {}", blocks.len()))) };
    let crl = Crl::parse(&block.contents).map_err(|why| broken(why.to_string()))?;
    if let Some(issuer) = issuer {
        crl.signed_by(&block.contents, issuer).map_err(|why| broken(why.to_string()))?;
    }
    Ok(crl.number.as_deref().map(decimal))
}

/// Every other certificate with a key beside it.
fn other_pairs(survey: &Survey, known: &BTreeSet<Place>, judgement: &mut Judgement) {
    for (place, state) in survey.iter().filter(|(place, _)| !known.contains(place)) {
        let (Some(stem), FileState::File { bytes, .. }) = (place.path.strip_suffix(".key"), state) else { continue };
        let beside = Place { root: place.root, path: format!("{stem}.crt") };
        let Some(certificate) = file(survey, Some(&beside)) else { continue };
        match (PrivateKey::from_pem(bytes), parse_pem_bundle(certificate).map(|all| all.into_iter().next())) {
            (Ok(key), Ok(Some(first))) if key.matches(&first) => judgement.pairs += 1,
            (Ok(_), Ok(_)) => judgement.problems.push(format!("{} is not the key of {}", place.path, beside.path)),
            (Err(why), _) => judgement.notes.push(format!("{} was not looked at: {why}", place.path)),
            (_, Err(why)) => judgement.notes.push(format!("{} was not looked at: {why}", beside.path)),
        }
    }
}

/// The service account's keys.
fn accounts(survey: &Survey, directories: &Directories, judgement: &mut Judgement) {
    let place = |end: &str| directories.certificate("", &format!("sa.{end}"));
    let (public, key) = (file(survey, Some(&place("pub"))), file(survey, Some(&place("key"))));
    if public.is_some() && key.is_none() {
        judgement.problems.push(format!("{} is missing: it signs the tokens of service accounts", place("key").path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Root;
    use zeroize::Zeroizing;

    const TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/kubeadm/v1.36-default-rsa2048/etc-kubernetes");

    #[allow(clippy::disallowed_methods)] // fixtures
    fn survey() -> Survey {
        let mut survey = Survey::new();
        for name in [
            "ca.crt",
            "ca.key",
            "front-proxy-ca.crt",
            "front-proxy-ca.key",
            "etcd/ca.crt",
            "etcd/ca.key",
            "apiserver.crt",
            "apiserver.key",
            "sa.pub",
            "sa.key",
        ] {
            let bytes = Zeroizing::new(std::fs::read(format!("{TREE}/pki/{name}")).unwrap());
            let place = Place { root: Root::Main, path: format!("pki/{name}") };
            survey.insert(place, FileState::File { bytes, mode: 0o600, uid: 0, gid: 0 });
        }
        survey
    }

    fn at(name: &str) -> Place {
        Place { root: Root::Main, path: format!("pki/{name}") }
    }

    fn directories() -> Directories {
        Directories { kubelet: None, ..Directories::usual() }
    }

    #[test]
    fn a_whole_tree_is_whole_and_every_missing_or_other_key_is_said() {
        let judged = judge(&survey(), &directories(), |_| true, |_| None, |_| None);
        assert_eq!((judged.pairs, judged.problems.len(), judged.authorities.len()), (4, 0, 3));
        for (name, said) in [("ca.key", "the key of ca is missing"), ("sa.key", "pki/sa.key is missing")] {
            let mut without = survey();
            without.remove(&at(name));
            let judged = judge(&without, &directories(), |_| true, |_| None, |_| None);
            assert!(judged.problems.len() == 1 && judged.problems[0].starts_with(said), "{:?}", judged.problems);
        }
        // One that never signed here is another's.
        let mut external = survey();
        external.remove(&at("ca.key"));
        let judged = judge(&external, &directories(), |_| false, |_| None, |_| None);
        assert_eq!((judged.problems.len(), judged.notes.len()), (0, 1));
        assert!(judged.authorities.iter().any(|one| one.key == KeyState::External));
        // One whose key is elsewhere by the profile is not in the backup, whatever lies there.
        for there in [survey(), external] {
            let at = |id: CaId| (id == CaId::Cluster).then(|| "file /secure/ca.key".to_owned());
            let judged = judge(&there, &directories(), |_| true, at, |_| None);
            assert_eq!(judged.left_out, ["the key of ca (file /secure/ca.key)"]);
            assert!(judged.problems.is_empty(), "{:?}", judged.problems);
        }
        let mut encrypted = survey();
        let bytes = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n".to_vec();
        let state = FileState::File { bytes: Zeroizing::new(bytes), mode: 0o600, uid: 0, gid: 0 };
        encrypted.insert(at("ca.key"), state);
        let judged = judge(&encrypted, &directories(), |_| true, |_| None, |_| None);
        assert!(judged.problems.is_empty(), "{:?}", judged.problems);
        assert_eq!((judged.notes.len(), judged.pairs), (1, 3));
        let ca = judged.authorities.iter().find(|one| one.authority == CaId::Cluster);
        assert_eq!(ca.map(|one| (one.key.clone(), one.subject.is_some())), Some((KeyState::Encrypted, true)));
        // With its passphrase: its own key, another one, none.
        for (opens, said) in [
            (Ok("ca.key"), None),
            (Ok("etcd/ca.key"), Some("ca cannot sign: its key opens, and is that of another certificate")),
            (Err("no".to_owned()), Some("ca cannot sign: its key does not open: no")),
        ] {
            let open = |_: &[u8]| {
                let plain = survey();
                let key = |name: &str| PrivateKey::from_pem(file(&plain, Some(&at(name))).unwrap()).unwrap();
                Some(opens.clone().map(key))
            };
            let judged = judge(&encrypted, &directories(), |_| true, |_| None, open);
            assert_eq!(judged.problems.first().map(String::as_str), said);
            assert_eq!((judged.notes.len(), judged.pairs), (0, if said.is_none() { 4 } else { 3 }));
        }
        for (one, other, said) in [
            ("ca.key", "etcd/ca.key", "ca cannot sign: "),
            ("apiserver.key", "sa.key", "pki/apiserver.key is not the key of pki/apiserver.crt"),
        ] {
            let mut swapped = survey();
            let other = swapped[&at(other)].clone();
            swapped.insert(at(one), other);
            let judged = judge(&swapped, &directories(), |_| true, |_| None, |_| None);
            assert!(judged.problems.len() == 1 && judged.problems[0].starts_with(said), "{:?}", judged.problems);
        }
        let mut torn = survey();
        let bytes = Zeroizing::new(b"-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n".to_vec());
        torn.insert(at("ca.crl"), FileState::File { bytes, mode: 0o644, uid: 0, gid: 0 });
        let judged = judge(&torn, &directories(), |_| true, |_| None, |_| None);
        assert!(judged.problems[0].starts_with("pki/ca.crl: "), "{:?}", judged.problems);
    }
}
