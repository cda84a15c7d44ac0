//! The effect of one unusable authority on a run: its own entries are skipped, the others are renewed.

use super::{Credential, Decision, Refusal, Skipped, certificate_of};
use crate::catalog::CaId;
use crate::tree::layout::Place;
use crate::tree::{Authorities, Authority, Survey, file};
use crate::x509::parse_pem_bundle;

/// Turns refusals into skipped entries, one outcome for each credential in their order.
///
/// # Errors
/// Every refusal, where the credentials were `named`, or where nothing is without one.
pub fn collect_refusals(
    credentials: &[Credential],
    outcomes: Vec<Result<Decision, Refusal>>,
    survey: &Survey,
    named: bool,
) -> Result<Vec<Decision>, Vec<Refusal>> {
    let goes_on = |outcome: &Result<Decision, Refusal>| matches!(outcome, Ok(Decision::Keep(_) | Decision::Renew(_)));
    if outcomes.iter().any(Result::is_err) && (named || !outcomes.iter().any(goes_on)) {
        return Err(outcomes.into_iter().filter_map(Result::err).collect());
    }
    let left = |(credential, outcome): (&Credential, Result<Decision, Refusal>)| {
        let old = || certificate_of(credential, survey).map(Box::new);
        outcome.unwrap_or_else(|refusal| Decision::Skipped(Skipped::Refused(refusal), old()))
    };
    Ok(credentials.iter().zip(outcomes).map(left).collect())
}

/// The decision if the credential's node trusts another authority than the tree's.
pub fn refuse_foreign_ca(credential: &Credential, decision: Decision, others: &[Refusal]) -> Result<Decision, Refusal> {
    let concerned = match &decision {
        Decision::Keep(_) | Decision::Renew(_) => true,
        Decision::Skipped(left, _) => left.is_gap(),
        Decision::Absent => false,
    };
    let is_its = |refusal: &&Refusal| match refusal {
        Refusal::OtherAuthority { node, authority } => {
            credential.id.node.as_ref() == Some(node) && credential.authority == Some(*authority)
        }
        _ => false,
    };
    match others.iter().find(is_its) {
        Some(refusal) if concerned => Err(refusal.clone()),
        _ => Ok(decision),
    }
}

/// Every node that trusts another authority.
pub fn other_authorities(copies: &[(String, CaId, Place)], authorities: &Authorities, survey: &Survey) -> Vec<Refusal> {
    let differs = |(node, authority, place): &(String, CaId, Place)| {
        let signer = authorities.get(authority).and_then(Authority::certificate)?;
        let copy = parse_pem_bundle(file(survey, Some(place))?).ok()?;
        let trusts = copy.iter().any(|one| one.der == signer.der);
        (!trusts).then(|| Refusal::OtherAuthority { node: node.clone(), authority: *authority })
    };
    copies.iter().filter_map(differs).collect()
}
