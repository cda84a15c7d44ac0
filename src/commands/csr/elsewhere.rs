//! Requests for authorities whose keys are elsewhere: the key that is there signs its request, and no other is made.

use std::collections::BTreeSet;

use super::wanted::Wanted;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::CsrTemplate;
use crate::report::requests::RequestEntry;
use crate::tree::Issuers;
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::{Session, Snapshot};
use crate::x509::Certificate;

/// The authority, and the certificate that says which key it has; `None`: a key is made here, or in the tree.
pub fn key_of(
    session: &Session<'_>,
    snapshot: &Snapshot,
    authority: CaId,
) -> Result<Option<(CaId, Box<Certificate>)>, Error> {
    if !session.tree.keeps_key_elsewhere(snapshot, authority) {
        return Ok(None);
    }
    let name = authority.name();
    let certificate = snapshot.certificate(authority).cloned().ok_or_else(|| {
        Error::new(format!(
            "no request can be made for {name}: its key is elsewhere, and no certificate says which it is"
        ))
        .hint(format!(
            "make the authority with kpki init first, or take authorities.{name}.key or .signer out of the profile"
        ))
    })?;
    Ok(Some((authority, Box::new(certificate))))
}

fn spec<'w>(one: &'w Wanted, template: &'w CsrTemplate) -> CsrSpec<'w> {
    CsrSpec { id: one.id.clone(), public: &one.public, private: one.private.as_ref(), template, key: None }
}

/// The authorities that sign a request of their own; one that waits already is kept.
pub fn signers(site: &Site, wanted: &[Wanted]) -> Result<BTreeSet<CaId>, Error> {
    let mut signers = BTreeSet::new();
    for one in wanted {
        if let (Some((authority, certificate)), Ok(template)) = (&one.by, &one.template)
            && requests::waits_for_signer(site, &spec(one, template), certificate)?.is_none()
        {
            signers.insert(*authority);
        }
    }
    Ok(signers)
}

/// What became of one, or a row that says why nothing did. `locked`: not in a dry run.
pub fn request(
    site: &Site,
    one: &Wanted,
    template: &CsrTemplate,
    (authority, certificate): &(CaId, Box<Certificate>),
    locked: Option<&(Snapshot, Issuers)>,
) -> Result<Result<Made, RequestEntry>, Error> {
    let spec = spec(one, template);
    if let Some(waits) = requests::waits_for_signer(site, &spec, certificate)? {
        return Ok(Ok(waits));
    }
    let row = |action, reason: String| RequestEntry {
        id: one.id.clone(),
        action,
        algorithm: Some(certificate.key.to_string()),
        reasons: vec![reason],
        ..RequestEntry::default()
    };
    let Some((snapshot, issuers)) = locked else {
        return Ok(Err(row("request", "for the existing key, which is kept elsewhere".to_owned())));
    };
    match issuers.get(*authority) {
        Some(issuer) => Ok(Ok(requests::of_signer(site, &spec, issuer.signer())?)),
        None => Ok(Err(row("left", error::left_by(*authority, snapshot.authorities.get(authority))))),
    }
}
