//! By which rules the requests are judged: whose readers trust the certificates, and what is known of names and keys.

use super::jobs::Job;
use super::request::Request;
use super::signer::Signer;
use super::terms::Agreed;
use crate::catalog::{CaId, Sans};
use crate::error::Error;
use crate::plan::csr_manifest::contradictions;
use crate::plan::names_policy::ServerNames;
use crate::plan::renew::certificate_of;
use crate::plan::sign::{Declined, Grant, Policy};
use crate::workspace::known_keys;
use time::OffsetDateTime;

/// The policy of the authority that signs.
pub fn of(signer: &Signer<'_>, agreed: &Agreed) -> Policy {
    let tree = signer.session.zip(signer.snapshot.as_ref());
    let certificates = tree.into_iter().flat_map(|(session, snapshot)| {
        session.credentials.iter().filter_map(|one| {
            let rule = one.entry.map(|entry| entry.sans).filter(|rule| *rule != Sans::None)?;
            Some((rule, certificate_of(one, &snapshot.survey)?.sans))
        })
    });
    let profile = signer.session.and_then(|session| session.profile());
    Policy { authority: authority(signer, agreed), servers: ServerNames::new(profile, certificates) }
}

/// An authority that was given by its files is known by kubeadm's name, or counts as the cluster's.
fn authority(signer: &Signer<'_>, agreed: &Agreed) -> CaId {
    let name = signer.by_files.as_ref().and_then(|issuer| issuer.certificate().common_name());
    let named = name.and_then(|name| CaId::ALL.into_iter().find(|authority| authority.common_name() == name));
    named.unwrap_or(agreed.authority)
}

/// Refuses a request for a key that must not be certified.
pub fn known_key(request: &Request, signer: &Signer<'_>, job: &Job) -> Result<Option<Declined>, Error> {
    let spki = &job.request.spki_der;
    // An authority may have a new certificate for its own key from the one above it.
    let own = request.authority.as_ref().and(request.entry.as_deref()).and_then(CaId::parse);
    let of_signer =
        signer.by_files.iter().flat_map(|issuer| std::iter::once(issuer.certificate()).chain(issuer.chain()));
    let known = match (known_keys::of_authority(spki, of_signer), signer.session.zip(signer.snapshot.as_ref())) {
        (None, Some((session, snapshot))) => known_keys::known_key(&session.tree, snapshot, spki, own)?,
        (known, _) => known,
    };
    Ok(known.map(Declined::KnownKey))
}

/// The grant, unless it is not what the manifest asks for.
pub fn fits(job: &Job, grant: Grant, authority: CaId, now: OffsetDateTime) -> Result<Grant, Vec<Declined>> {
    let Some(asked) = &job.asked else { return Ok(grant) };
    let lifetime = grant.shortened.unwrap_or(grant.blueprint.not_after) - now;
    let found = contradictions(asked, &grant.blueprint, lifetime, authority);
    if found.is_empty() { Ok(grant) } else { Err(found.into_iter().map(Declined::Asked).collect()) }
}
