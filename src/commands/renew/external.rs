//! What an authority without its key here is to sign: requests with new keys, beside the running tree.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::plan::renew::{self as plan, Credential, CsrDecision, Decision, Skipped};
use crate::report::renew::RenewalEntry;
use crate::workspace::requests::{External, Made, Site};

/// What is due and signed by an authority without its key.
pub(in crate::commands::renew) fn external<'a>(renewing: &'a Renewing<'_>, evaluation: &Evaluation) -> External<'a> {
    let (session, rules, snapshot) = (&renewing.session, renewing.rules(), &evaluation.snapshot);
    let ask = |(credential, decision): (&'a Credential, &Decision)| {
        let Decision::Skipped(Skipped::External(_), _) = decision else { return None };
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

/// Says in the report where each request waits.
pub(in crate::commands::renew) fn describe(entries: &mut [RenewalEntry], made: &[Made]) {
    for one in made {
        let row = entries.iter_mut().find(|entry| entry.id == one.id);
        let Some((row, path)) = row.zip(one.paths.first()) else { continue };
        row.reasons =
            vec![format!("its authority's key is not here; have {} signed, then: kpki import CERT", path.display())];
    }
}
