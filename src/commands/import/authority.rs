//! The certificate of one of the tree's authorities: an intermediate with the key that waits for it, or, where it is named, an
//! external one's without a key.

use time::OffsetDateTime;

use super::place::change;
use super::{Placed, Seen};
use crate::ca::PrivateKey;
use crate::catalog::CaId;
use crate::commands::facts::facts;
use crate::commands::requests::{self, Files, Site};
use crate::commands::survey;
use crate::error::{self, Error};
use crate::kubeconfig::{self, Credentials};
use crate::plan::import as plan;
use crate::plan::renew::{self, Credential};
use crate::report::requests::RequestEntry;
use crate::x509::{Certificate, parse_pem_bundle};

/// `Err`: why it may not be put in place.
pub fn place(
    seen: &Seen<'_>,
    bundle: &[Certificate],
    named: Option<&str>,
    now: OffsetDateTime,
) -> Result<Result<Placed, Vec<String>>, Error> {
    let Some(certificate) = bundle.first() else { return Ok(Err(Vec::new())) };
    let mut found = None;
    for authority in CaId::ALL.into_iter().filter(|one| named.is_none_or(|name| one.name() == name)) {
        if let Some(key) = key(seen, authority, certificate)? {
            found = Some((authority, key));
            break;
        }
    }
    let found = found.or_else(|| Some((CaId::parse(named?)?, Key::Elsewhere)));
    let Some((authority, key)) = found else {
        return Ok(Err(vec![
            "it is the certificate of an authority, and no key that waits for one belongs to it; an external authority is named: --as ca"
                .to_owned(),
        ]));
    };
    let (public, private) = renew::authority_places(authority, &seen.tree.directories);
    let there = seen.file(&public);
    let private_there = private.as_ref().and_then(|place| seen.file(place)).is_some();
    if matches!(key, Key::Elsewhere) && private_there {
        return Ok(Err(vec![format!("{}.key is the key of another certificate", authority.stem())]));
    }
    let signed: Vec<(String, Certificate)> =
        seen.tree.all.iter().filter(|one| one.authority == authority).filter_map(|one| leaf(seen, one)).collect();
    let ask = renew::ask_authority(authority, &public, &seen.survey, seen.tree.target.profile.as_ref(), now).ok();
    let objections = plan::judge_authority(bundle, ask.as_ref().map(|ask| &ask.blueprint), &signed, now);
    if !objections.is_empty() {
        return Ok(Err(objections.iter().map(error::objection).collect()));
    }
    let pem: String = bundle.iter().map(Certificate::to_pem).collect();
    let entry = RequestEntry {
        name: authority.name().to_owned(),
        action: "import",
        algorithm: Some(certificate.key.to_string()),
        facts: Some(facts(certificate)),
        old: ask.and_then(|ask| ask.old).map(|old| facts(&old)),
        paths: std::iter::once(&public).chain(private.as_ref()).map(|place| seen.tree.shown(place)).collect(),
        ..RequestEntry::default()
    };
    if there == Some(pem.as_bytes()) && !matches!(key, Key::Staged(..)) {
        return Ok(Ok(Placed { entry: RequestEntry { action: "keep", old: None, ..entry }, ..Placed::default() }));
    }
    let mut placed = Placed { entry, certificate: Some(certificate.clone()), ..Placed::default() };
    if let (Key::Staged(key, files), Some(private)) = (key, &private) {
        placed.changes.push(change(private, 0o600, key.to_pem().as_bytes().to_vec())?);
        placed.removals.extend([(files.root, files.key), (files.root, files.request)]);
    }
    placed.changes.push(change(&public, 0o644, pem.clone().into_bytes())?);
    // The nodes of a cluster directory trust what the tree trusts.
    for (_, of, copy) in renew::authority_copies(&seen.tree.all, &seen.tree.directories) {
        if of == authority && copy != public && seen.file(&copy).is_some() {
            placed.changes.push(change(&copy, 0o644, pem.clone().into_bytes())?);
        }
    }
    Ok(Ok(placed))
}

enum Key {
    Staged(PrivateKey, Files),
    InPlace,
    /// With the authority's owner.
    Elsewhere,
}

fn key(seen: &Seen<'_>, authority: CaId, certificate: &Certificate) -> Result<Option<Key>, Error> {
    let (public, private) = renew::authority_places(authority, &seen.tree.directories);
    let site = Site::Tree(seen.tree.roots.clone());
    let files = site.files(&public, private.as_ref())?;
    if let Some(waiting) = requests::waiting(&site, &files)?
        && waiting.key.matches(certificate)
    {
        return Ok(Some(Key::Staged(waiting.key, files)));
    }
    let survey = survey::survey(&seen.tree.roots, private.iter())?;
    let there = survey.into_values().find_map(|found| match found {
        crate::plan::decision::FileState::File { bytes, .. } => PrivateKey::from_pem(&bytes).ok(),
        crate::plan::decision::FileState::Missing => None,
    });
    Ok(there.filter(|key| key.matches(certificate)).map(|_| Key::InPlace))
}

/// What an entry has now.
fn leaf(seen: &Seen<'_>, credential: &Credential) -> Option<(String, Certificate)> {
    let bytes = seen.file(&credential.public)?;
    let bundle = if credential.is_kubeconfig() {
        match kubeconfig::read(bytes).ok()?.credentials {
            Credentials::Embedded { certificate, .. } => parse_pem_bundle(&certificate).ok()?,
            Credentials::Files { .. } => return None,
        }
    } else {
        parse_pem_bundle(bytes).ok()?
    };
    // What the kubelet signed for itself is nobody's.
    let leaf = bundle.into_iter().next().filter(|leaf| !leaf.is_self_issued())?;
    let own = credential.entry.is_some_and(|entry| matches!(entry.files, crate::catalog::Files::KubeletPair(_)));
    (!own || credential.wanted.is_some()).then(|| (credential.id(), leaf))
}
