//! Who has signed a certificate: its list is the one to change.

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::tree::Authority;
use crate::workspace::{Session, Snapshot, crls};
use crate::x509::Certificate;

/// The authority, and the place of its issuer in the authority's file; or why no list here can have it.
pub fn of(
    certificate: &Certificate,
    snapshot: &Snapshot,
    session: &Session<'_>,
) -> Result<Result<(CaId, usize), String>, Error> {
    let in_file = |id: CaId| snapshot.bundle(id).iter().enumerate().map(move |(rank, issuer)| (id, rank, issuer));
    let signed = || {
        let all = CaId::ALL.into_iter().flat_map(in_file);
        all.filter(|(.., issuer)| certificate.issued_by(issuer).is_ok())
    };
    for (authority, rank, issuer) in signed() {
        // The one before it may still sign its list, as long as its key is kept.
        if rank == 0 || crls::has_previous_key(&session.tree, authority, issuer)? {
            return Ok(Ok((authority, rank)));
        }
    }
    // It may be the issuer.
    let unusable = |id: &CaId| matches!(snapshot.authorities.get(id), Some(Authority::Unusable(_)));
    if let Some(authority) = CaId::ALL.into_iter().find(unusable) {
        return Err(error::no_signer(authority, snapshot.authorities.get(&authority), &session.target.origin));
    }
    Ok(Err(match signed().next() {
        Some(_) => {
            format!("its issuer {} is still trusted, but is not the signing authority any more", certificate.issuer)
        }
        None => format!("its issuer is {}", certificate.issuer),
    }))
}
