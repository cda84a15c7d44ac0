//! Requests for authorities whose keys are elsewhere: the key that is there signs its request, and no other is made.

use std::collections::BTreeSet;

use super::wanted::{Keeper, Wanted};
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::keys::Fresh;
use crate::plan::renew::CsrTemplate;
use crate::report::requests::RequestEntry;
use crate::tree::Issuers;
use crate::workspace::requests::{self, CsrSpec, Made, Site};
use crate::workspace::{Session, Snapshot};

/// The authority whose key is elsewhere; `None`: a key is made here, or in the tree.
pub fn key_of(session: &Session<'_>, snapshot: &Snapshot, authority: CaId) -> Result<Option<Keeper>, Error> {
    if !session.tree.keeps_key_elsewhere(snapshot, authority) {
        return Ok(None);
    }
    let name = authority.name();
    if session.profile().is_some_and(|profile| profile.issuer(authority).is_some()) {
        let import = session.target.origin.command("import", &["CERT"], &["--as", name]);
        return Err(Error::new(format!("no request can be made for {name}: its key is with its issuer"))
            .hint(format!("have its owner make a certificate for it, and put that in place: {import}")));
    }
    let certificate = snapshot.certificate(authority).cloned().map(Box::new);
    match (&certificate, session.tree.keys.to_be_made(authority)?) {
        (None, Some(path)) => Err(Error::new(format!(
            "no request can be made for {name}: its key is to be in {}, which does not exist",
            path.display()
        ))
        .hint("make the key there first, in PEM, in a file of mode 0600; kpki init makes one where it makes the authority")),
        _ => Ok(Some(Keeper { authority, certificate })),
    }
}

fn spec<'w>(one: &'w Wanted, template: &'w CsrTemplate) -> CsrSpec<'w> {
    CsrSpec { id: one.id.clone(), public: &one.public, private: one.private.as_ref(), template, key: None }
}

/// The authorities that sign a request of their own; one that waits already is kept.
pub fn signers(site: &Site, wanted: &[Wanted]) -> Result<BTreeSet<CaId>, Error> {
    let mut signers = BTreeSet::new();
    for one in wanted {
        let (Some(by), Ok(template)) = (&one.by, &one.template) else { continue };
        let waits = match &by.certificate {
            Some(certificate) => requests::waits_for_signer(site, &spec(one, template), &certificate.spki_der)?,
            None => None,
        };
        if waits.is_none() {
            signers.insert(by.authority);
        }
    }
    Ok(signers)
}

/// What became of one, or a row that says why nothing did. `opened`: the keys of authorities with a certificate; not in a dry run.
pub fn request(
    session: &Session<'_>,
    site: &Site,
    (one, template): (&Wanted, &CsrTemplate),
    by: &Keeper,
    opened: Option<&(Snapshot, Issuers)>,
) -> Result<Result<Made, RequestEntry>, Error> {
    let (spec, authority) = (spec(one, template), by.authority);
    let waits = |spki_der: &[u8]| requests::waits_for_signer(site, &spec, spki_der);
    let row = |action, reason: String| RequestEntry {
        id: one.id.clone(),
        action,
        algorithm: by.certificate.as_ref().map(|certificate| certificate.key.to_string()),
        reasons: vec![reason],
        ..RequestEntry::default()
    };
    if let Some(certificate) = &by.certificate
        && let Some(waits) = waits(&certificate.spki_der)?
    {
        return Ok(Ok(waits));
    }
    if session.run.dry_run {
        return Ok(Err(row("request", "for the existing key, which is kept elsewhere".to_owned())));
    }
    let left = || {
        let state = opened.and_then(|(snapshot, _)| snapshot.authorities.get(&authority));
        Ok(Err(row("left", error::left_by(authority, state))))
    };
    if by.certificate.is_some() {
        return match opened.and_then(|(_, issuers)| issuers.get(authority)) {
            Some(issuer) => requests::of_signer(site, &spec, issuer.signer()).map(Ok),
            None => left(),
        };
    }
    let stated = session.profile().and_then(|profile| profile.authorities.get(&authority)?.algorithm);
    match session.tree.keys.fresh(authority, stated)? {
        Fresh::There(signer) => match waits(&signer.spki_der())? {
            Some(waits) => Ok(Ok(waits)),
            None => requests::of_signer(site, &spec, signer.as_ref()).map(Ok),
        },
        Fresh::Made(_) => left(),
    }
}
