//! The new certificates and requests, in memory.

use super::evaluate::{Evaluation, Renewed};
use super::renewing::Renewing;
use crate::ca::{self, CaError, PrivateKey};
use crate::error::Error;
use crate::store::FileChange;
use crate::tree::rotation::Identity;
use crate::tree::{EntryId, Issuers, Place, file};
use crate::workspace::Progress;
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::rotation::record;
use crate::x509::Certificate;

/// Every new certificate, in the order of the evaluation.
pub(in crate::commands::renew_authority) fn certificates(
    evaluation: &Evaluation,
    issuers: &Issuers,
) -> Result<Vec<Certificate>, Error> {
    let one = |renewed: &Renewed| {
        let issuer = issuers.get(renewed.authority).filter(|issuer| issuer.certificate().der == renewed.old.der);
        let issuer = issuer.ok_or(CaError::EmptyBundle)?;
        let signed = ca::renew(issuer, renewed.renewal.not_before, renewed.renewal.not_after)?;
        Ok(signed.certificate)
    };
    evaluation.renewed.iter().map(one).collect()
}

/// Every file with the new certificates. A kubeconfig holds one authority's, so that no file changes twice.
pub(in crate::commands::renew_authority) fn changes(
    evaluation: &Evaluation,
    new: &[Certificate],
) -> Result<Vec<FileChange>, Error> {
    let mut changes = Vec::new();
    for (renewed, new) in evaluation.renewed.iter().zip(new) {
        for holder in &renewed.holders.all {
            changes.push(holder.replaced(&renewed.old, new)?);
        }
    }
    Ok(changes)
}

/// The record of a rotation that one of them is part of, with the new certificate; `None`: it is part of none.
pub(in crate::commands::renew_authority) fn record(
    renewing: &Renewing<'_>,
    evaluation: &Evaluation,
    new: &[Certificate],
) -> Result<Option<FileChange>, Error> {
    let mut record = record::read(&renewing.session.tree.roots)?;
    let mut is_part = false;
    for identity in record.rotations.iter_mut().flat_map(|one| one.old.iter_mut().chain(&mut one.new)) {
        let found = evaluation.renewed.iter().zip(new).find(|(renewed, _)| identity.is(&renewed.old));
        if let Some((_, new)) = found {
            *identity = Identity::of_certificate(new);
            is_part = true;
        }
    }
    is_part.then(|| record::change(&record)).transpose()
}

/// Requests for the keys that are there, which wait for `kpki import`. `issuers`: those whose keys are open; `None`: a dry run, in
/// which a key that is elsewhere signs nothing.
pub(in crate::commands::renew_authority) fn requests(
    renewing: &Renewing<'_>,
    evaluation: &Evaluation,
    issuers: Option<&Issuers>,
    progress: Progress<'_>,
) -> Result<Vec<Made>, Error> {
    let (session, snapshot) = (&renewing.session, &evaluation.snapshot);
    let site = Site::Tree(session.tree.roots.clone());
    let places: Vec<(Place, Option<Place>)> =
        evaluation.requested.iter().map(|one| session.tree.directories.authority(one.authority)).collect();
    let (mut specs, mut made) = (Vec::with_capacity(places.len()), Vec::new());
    for (one, (public, private)) in evaluation.requested.iter().zip(&places) {
        let id = EntryId::new(None, one.authority.name());
        let spec = CsrSpec { id, public, private: private.as_ref(), template: &one.template, key: None };
        if session.tree.keeps_key_elsewhere(snapshot, one.authority) {
            let waits = requests::waits_for_signer(&site, &spec, &one.old.spki_der)?;
            let issuer = issuers.and_then(|issuers| issuers.get(one.authority)).filter(|_| waits.is_none());
            made.extend(waits);
            made.extend(issuer.map(|issuer| requests::of_signer(&site, &spec, issuer.signer())).transpose()?);
            continue;
        }
        let key = file(&snapshot.survey, private.as_ref()).ok_or(CaError::KeyMismatch { position: None })?;
        specs.push(CsrSpec { key: Some(PrivateKey::from_pem(key)?), ..spec });
    }
    made.extend(requests::make(&site, specs, session.run.threads, progress)?);
    Ok(made)
}
