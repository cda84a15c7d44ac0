//! What a new authority whose key is elsewhere signs before the switch. Keys, requests and certificates wait beside the tree, where
//! nothing uses them, until all are there: then the switch puts them in place in one transaction.

use zeroize::Zeroizing;

use crate::catalog::CaId;
use crate::error::Error;
use crate::plan::import::{self as plan, Anchors, Expected};
use crate::plan::renew::{Credential, CsrTemplate};
use crate::store::FileChange;
use crate::tree::EntryId;
use crate::tree::rotation::{KeyPlace, Phase, Record, Rotating};
use crate::workspace::put::Put;
use crate::workspace::reissue::Made;
use crate::workspace::requests::{self, Files, Site};
use crate::workspace::rotation::alive;
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::{Certificate, parse_bundle, path};
use time::OffsetDateTime;

/// A request that waits for a new authority's signature, or has it.
#[derive(Debug)]
pub struct Asked {
    pub id: EntryId,
    pub files: Files,
    pub is_signed: bool,
}

/// What a new authority that signs elsewhere has signed for one entry.
#[derive(Debug)]
pub enum Answer {
    Missing,
    /// There is a certificate, and it is not the one that is needed now.
    Unfit,
    Signed(Box<Made>),
}

/// The certificates of the new authority, the signer first, where everything trusts it and its key is elsewhere; else none.
pub fn signer(record: &Record, authority: CaId) -> Vec<Certificate> {
    let rotation = record.of(Rotating::Authority(authority));
    let rotation = rotation.filter(|one| one.phase == Phase::Prepared && one.new_key == KeyPlace::Elsewhere);
    rotation.map(|one| one.new.iter().filter_map(alive::certificate).collect()).unwrap_or_default()
}

/// The requests that wait for the entries of an authority. What stands in them is not looked at.
///
/// # Errors
/// They cannot be read.
pub fn asked(session: &Session<'_>, authority: CaId) -> Result<Vec<Asked>, Error> {
    let roots = &session.tree.roots;
    let site = Site::Tree(roots.clone());
    let mut all = Vec::new();
    for one in session.credentials.iter().filter(|one| one.authority == Some(authority)) {
        let files = site.files(&one.public, one.private.as_ref())?;
        let is_there = |path| Ok::<_, Error>(survey::read(roots, files.root, path)?.is_some());
        if is_there(&files.key)? {
            let is_signed = is_there(&files.certificate)?;
            all.push(Asked { id: one.id.clone(), files, is_signed });
        }
    }
    Ok(all)
}

/// Whether the new authority, and not one that is trusted by its side, signed it.
pub fn is_of(leaf: &Certificate, rest: &[Certificate], new: &[Certificate], now: OffsetDateTime) -> bool {
    new.first().is_some_and(|signer| path::judge(leaf, rest, std::slice::from_ref(signer), now).is_ok())
}

/// The certificate, with what belongs behind it, to wait beside its request.
pub fn beside(files: &Files, leaf: &Certificate, chain: &[Certificate]) -> FileChange {
    let pem: String = std::iter::once(leaf).chain(chain).map(Certificate::to_pem).collect();
    FileChange {
        root: files.root,
        path: files.certificate.clone(),
        mode: 0o600,
        bytes: Zeroizing::new(pem.into_bytes()),
        replace: true,
    }
}

/// The files of an entry as the new authority signed them. `template`: what is asked for now; `after`: the tree as it will be.
///
/// # Errors
/// A key that waits cannot be used, or a kubeconfig not edited.
pub fn answer(
    session: &Session<'_>,
    (credential, authority): (&Credential, CaId),
    template: &CsrTemplate,
    after: &Snapshot,
) -> Result<Answer, Error> {
    let site = Site::Tree(session.tree.roots.clone());
    let files = site.files(&credential.public, credential.private.as_ref())?;
    let Some(waiting) = requests::waiting(&site, &files)? else { return Ok(Answer::Missing) };
    let Some(bytes) = survey::read(site.roots(), files.root, &files.certificate)? else { return Ok(Answer::Missing) };
    let bundle = parse_bundle(&bytes).unwrap_or_default();
    let Some((leaf, chain)) = bundle.split_first().filter(|(leaf, _)| waiting.key.matches(leaf)) else {
        return Ok(Answer::Unfit);
    };
    let trusted = after.bundle(authority);
    let expected = Expected {
        blueprint: &template.blueprint_for(waiting.key.algorithm()),
        dispensable: &template.names.surplus,
        anchors: Anchors::Authority(authority),
        trusted: trusted.get(..1).unwrap_or_default(),
        issued: &[],
        now: session.run.now,
    };
    if !plan::judge(leaf, chain, &expected).objections.is_empty() {
        return Ok(Answer::Unfit);
    }
    let put =
        Put { credential, key: &waiting.key, is_fresh: true, access: waiting.access.as_ref(), leaf, chain, trusted };
    let changes = put.changes(&after.survey)?;
    Ok(Answer::Signed(Box::new(Made { id: credential.id.clone(), certificate: leaf.clone(), changes })))
}
