//! Renewals by an external authority: requests with new keys, beside the files in use.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::plan::renew::{self as plan, Credential, CsrDecision, Decision, Skipped};
use crate::report::renew::RenewalEntry;
use crate::tree::Origin;
use crate::workspace::requests::{External, Made, Site};

/// Due credentials of external authorities.
pub(in crate::commands::renew) fn external<'a>(renewing: &'a Renewing<'_>, evaluation: &Evaluation) -> External<'a> {
    let (session, rules, snapshot) = (&renewing.session, renewing.rules(), &evaluation.snapshot);
    let ask = |(credential, decision): (&'a Credential, &Decision)| {
        let Decision::Skipped(Skipped::External(_) | Skipped::ExternalInWindow(_), _) = decision else { return None };
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

/// What is renewed on another host, and may wait: its names, as a warning that names the host.
pub(in crate::commands::renew) fn elsewhere(renewing: &Renewing<'_>, evaluation: &Evaluation) -> Option<String> {
    let host = renewing.request.safe_host.as_ref()?;
    let waits = |(credential, decision): (&Credential, &Decision)| match decision {
        Decision::Skipped(Skipped::ExternalInWindow(authority), _) => {
            Some((credential.id.to_string(), authority.name()))
        }
        _ => None,
    };
    let all = renewing.credentials.iter().zip(&evaluation.decisions).filter_map(waits);
    let (names, mut authorities): (Vec<String>, Vec<&str>) = all.unzip();
    authorities.sort_unstable();
    authorities.dedup();
    (!names.is_empty()).then(|| {
        format!(
            "due, and signed by an authority whose key is not on this node ({}): {}; renew on {host} (kpki renew all --due), then \
             bring the node's files here (kpki export)",
            authorities.join(", "),
            names.join(", ")
        )
    })
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
