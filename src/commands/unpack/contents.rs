//! What is in an archive: the manifest, and the files that it accounts for, and nothing else.

use super::request::{Input, Request};
use crate::catalog::{self, CaId, Files};
use crate::encoding::archive::{self, Content};
use crate::encoding::pem;
use crate::encoding::shown::named;
use crate::error::{self, Error};
use crate::tree::layout::DEFAULT_DIR;
use crate::workspace::shipping::manifest::{self, Manifest};
use crate::workspace::state::{PROFILE, STATE};
use crate::workspace::{profiles, survey};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// What a file of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Key,
    /// Certificates, a public key, a kubeconfig.
    Public,
    List(CaId),
    Manifest,
    Profile,
    State,
}

/// One file.
#[derive(Clone)]
pub struct Part {
    pub what: What,
    /// The entry's name, or the file's own.
    pub entry: String,
    /// On the node, absolute.
    pub path: String,
    pub mode: u32,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// Everything in an archive.
pub struct Contents {
    pub manifest: Manifest,
    /// As the manifest has them: an entry's key before its certificate.
    pub parts: Vec<Part>,
}

/// The bytes of the archive. A file that somebody else could have written is not taken.
pub fn bytes(input: &Input) -> Result<Zeroizing<Vec<u8>>, Error> {
    match input {
        Input::File(path) => {
            profiles::check(path)?;
            survey::input(path, u64::try_from(archive::LIMIT).unwrap_or(u64::MAX))
        }
        Input::Stream(bytes) => Ok(bytes.clone()),
    }
}

impl Contents {
    pub fn read(request: &Request) -> Result<Self, Error> {
        let members = archive::read(&bytes(&request.input)?).map_err(|why| refused(request, [why.to_string()]))?;
        Self::of(members).map_err(|whys| refused(request, whys))
    }

    /// Each member is accounted for, and all that the manifest names is there.
    fn of(members: Vec<Content>) -> Result<Self, Vec<String>> {
        let mut members: BTreeMap<String, Content> =
            members.into_iter().map(|one| (format!("/{}", one.path), one)).collect();
        let own = format!("{DEFAULT_DIR}/{}", manifest::NAME);
        let Some(found) = members.get(&own) else {
            return Err(vec![format!("expected {own} in it, but it is missing")]);
        };
        let manifest = Manifest::parse(&found.bytes).map_err(|why| vec![format!("{own}: {why}")])?;
        let mut whys = Vec::new();
        let mut parts = Vec::new();
        for (what, entry, path) in wanted(&manifest) {
            match members.remove(&path) {
                Some(Content { mode, bytes, .. }) => parts.push(Part { what, entry, path, mode, bytes }),
                // Those of 0.1.0 have neither.
                None if matches!(what, What::Profile | What::State) && manifest.issue.is_none() => {}
                None => whys.push(format!("{} is missing, which the manifest names", named(&path))),
            }
        }
        whys.extend(members.into_keys().map(|path| format!("{} is nothing that the manifest names", named(&path))));
        whys.extend(parts.iter().filter_map(flaw));
        if whys.is_empty() { Ok(Self { manifest, parts }) } else { Err(whys) }
    }

    pub fn part(&self, what: What) -> Option<&Part> {
        self.parts.iter().find(|part| part.what == what)
    }
}

/// Authorities first, then their lists, then what they have signed; a key directly before its certificate.
fn wanted(manifest: &Manifest) -> Vec<(What, String, String)> {
    let is_authority = |name: &str| CaId::parse(name).is_some();
    let (authorities, others): (Vec<_>, Vec<_>) = manifest.entries.iter().partition(|one| is_authority(&one.name));
    let mut all = Vec::new();
    // A file may have the lists of several issuers.
    let mut files = BTreeSet::new();
    let lists = manifest.lists.iter().filter(|list| files.insert(&list.path));
    let mut lists = lists.filter_map(|list| {
        Some((What::List(CaId::parse(&list.authority)?), format!("{}.crl", list.authority), list.path.clone()))
    });
    for (index, one) in authorities.iter().chain(&others).enumerate() {
        if index == authorities.len() {
            all.extend(lists.by_ref());
        }
        let key = one.key.clone().map(|key| (What::Key, one.name.clone(), key));
        all.extend(key.into_iter().chain([(What::Public, one.name.clone(), one.path.clone())]));
    }
    all.extend(lists);
    for (what, name) in [
        (What::Manifest, manifest::NAME.to_owned()),
        (What::Profile, format!(".kpki/{PROFILE}")),
        (What::State, format!(".kpki/{STATE}")),
    ] {
        all.push((what, name.clone(), format!("{DEFAULT_DIR}/{name}")));
    }
    all
}

/// Its mode is another than that of a file that export has packed, or a key would be readable.
fn flaw(part: &Part) -> Option<String> {
    let is_secret = match part.what {
        What::Key | What::Profile | What::State => true,
        What::Public => is_secret(&part.entry),
        What::List(_) | What::Manifest => false,
    };
    let path = named(&part.path);
    let wanted = if is_secret { 0o600 } else { 0o644 };
    if part.mode != wanted {
        return Some(format!("{path} has the mode {:04o}, expected {wanted:04o}", part.mode));
    }
    let leaks = (!is_secret || pem::is_called_public(&part.path)) && pem::holds_private_key(&part.bytes);
    leaks.then(|| format!("{path} holds a private key, expected none"))
}

/// Kubeconfigs embed a key, and sa.pub goes through kubeadm's key writer.
fn is_secret(entry: &str) -> bool {
    let files = catalog::find(entry).map(|entry| entry.files);
    matches!(files, Some(Files::Kubeconfig(_) | Files::KeyPair(_)))
}

pub fn refused(request: &Request, whys: impl IntoIterator<Item = String>) -> Error {
    error::bad_archive(&request.input.to_string(), whys)
}
