//! Renewals by an external authority: requests with new keys, beside the files in use.

use std::collections::BTreeSet;

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::clock::{distance, rfc3339};
use crate::plan::renew::{self as plan, Credential, CsrDecision, Decision, Rules, Skipped};
use crate::report::renew::RenewalEntry;
use crate::tree::Origin;
use crate::tree::safe_host::renew_and_ship;
use crate::workspace::requests::{External, Made, Site};

/// Due credentials of external authorities, but those that have been issued.
pub(in crate::commands::renew) fn external<'a>(renewing: &'a Renewing<'_>, evaluation: &Evaluation) -> External<'a> {
    let (session, snapshot) = (&renewing.session, &evaluation.snapshot);
    // Which are asked for is decided.
    let rules = Rules { named: true, ..renewing.rules() };
    let ask = |(credential, decision): (&'a Credential, &Decision)| {
        let Decision::Skipped(Skipped::External(_) | Skipped::ExternalInWindow(_), _) = decision else { return None };
        if evaluation.issued.has(&credential.id) {
            return None;
        }
        match plan::ask(credential, &session.credentials, &snapshot.authorities, &snapshot.survey, &rules) {
            CsrDecision::CsrTemplate(template) => {
                Some((&credential.id, &credential.public, credential.private.as_ref(), *template))
            }
            CsrDecision::Skipped(_) | CsrDecision::Absent => None,
        }
    };
    let wanted = renewing.credentials.iter().zip(&evaluation.decisions).filter_map(ask).collect();
    External { site: Site::Tree(session.tree.roots.clone()), wanted }
}

/// What is renewed on another host, and may wait until the first of it ends: its names, and what to do on that host.
pub(in crate::commands::renew) fn elsewhere(renewing: &Renewing<'_>, evaluation: &Evaluation) -> Option<String> {
    let session = &renewing.session;
    let waits = |(credential, decision): (&Credential, &Decision)| match decision {
        _ if credential.issuer(session.profile()).is_some() => None,
        Decision::Skipped(Skipped::ExternalInWindow(authority), Some(leaf)) => {
            Some((credential.id.to_string(), authority.name(), leaf.not_after))
        }
        _ => None,
    };
    let all: Vec<_> = renewing.credentials.iter().zip(&evaluation.decisions).filter_map(waits).collect();
    let end = all.iter().map(|(_, _, end)| *end).min()?;
    let authorities: BTreeSet<&str> = all.iter().map(|(_, authority, _)| *authority).collect();
    let names: Vec<&str> = all.iter().map(|(name, ..)| name.as_str()).collect();
    let host = renewing.request.safe_host.as_deref();
    let only = || match session.profile()?.nodes.as_slice() {
        [only] => Some(only.name.as_str()),
        _ => None,
    };
    Some(format!(
        "due, and signed by an authority whose key is not here ({}): {}; the first ends at {} ({}). Until then renew on {}, and \
         bring the files here: {}",
        authorities.into_iter().collect::<Vec<_>>().join(", "),
        names.join(", "),
        rfc3339(end),
        distance(session.run.now, end),
        host.unwrap_or("the host that has the key (with --safe-host HOST, it is named here)"),
        renew_and_ship(session.target.node.as_deref().or_else(only))
    ))
}

/// Adds the path of each request to the report.
pub(in crate::commands::renew) fn describe(entries: &mut [RenewalEntry], made: &[Made], origin: &Origin) {
    for one in made {
        let row = entries.iter_mut().find(|entry| entry.id == one.id);
        let Some((row, path)) = row.zip(one.paths.first()) else { continue };
        let import = origin.command("import", &["CERT"], &[]);
        row.reasons = vec![format!("its authority is external; have {} signed, then: {import}", path.display())];
    }
}
