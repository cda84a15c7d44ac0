//! Certificates with a CRL entry: a revoked one is due whatever its dates, and never keeps its key; a held one
//! waits for a decision.

use super::{Credential, Decision, Reason, Rules};
use crate::revocation::Revoked;
use crate::tree::{Survey, file, leaf};
use crate::x509::{Certificate, parse_pem_bundle};

/// The existing certificate of a credential; `None`: there is none, or it cannot be read.
pub fn certificate_of(credential: &Credential, survey: &Survey) -> Option<Certificate> {
    let bytes = file(survey, Some(&credential.public))?;
    let bundle = if credential.is_kubeconfig() { leaf::embedded(bytes)? } else { parse_pem_bundle(bytes).ok()? };
    bundle.into_iter().next()
}

/// The rules for a certificate with this CRL entry.
pub fn rules_for<'a>(rules: &Rules<'a>, listed: Option<&Revoked>) -> Rules<'a> {
    let gone = listed.is_some_and(|revoked| !revoked.is_hold());
    Rules {
        profile: rules.profile,
        now: rules.now,
        due: rules.due.filter(|_| !gone),
        named: rules.named,
        prune_sans: rules.prune_sans,
        reuse_key: rules.reuse_key && !gone,
        kubelets: rules.kubelets,
        former_servers: rules.former_servers,
    }
}

/// Applies those rules to a decision, and adds the reason.
pub fn with_revocation_reason(decision: Decision, listed: Option<&Revoked>, rules: &Rules<'_>) -> Decision {
    match (decision, listed) {
        (Decision::Renew(mut renewal), Some(revoked)) if !revoked.is_hold() => {
            // With --due it was not named.
            renewal.reasons.retain(|reason| *reason != Reason::Requested || rules.due.is_none());
            renewal.reasons.insert(0, Reason::Revoked(revoked.at));
            Decision::Renew(renewal)
        }
        // What is held waits, also when it is named.
        (Decision::Renew(renewal), Some(_)) => match renewal.old {
            Some(old) => Decision::Keep(old),
            None => Decision::Renew(renewal),
        },
        (decision, _) => decision,
    }
}
