//! Renewals by an external authority: requests with new keys, beside the files in use.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::error::Error;
use crate::plan::renew::{self as plan, Credential, CsrDecision, CsrTemplate, Decision, Skipped};
use crate::report::renew::RenewalEntry;
use crate::workspace::Progress;
use crate::workspace::requests::{self, CsrSpec, Made, Site};

/// Due credentials of external authorities.
pub(in crate::commands::renew) struct External<'a> {
    site: Site,
    wanted: Vec<(&'a Credential, Box<CsrTemplate>)>,
}

impl<'a> External<'a> {
    pub fn of(renewing: &'a Renewing<'_>, evaluation: &Evaluation) -> Self {
        let (session, rules, snapshot) = (&renewing.session, renewing.rules(), &evaluation.snapshot);
        let template = |(credential, decision): (&'a Credential, &Decision)| match decision {
            Decision::Skipped(Skipped::External(_), _) => {
                match plan::ask(credential, &session.credentials, &snapshot.authorities, &snapshot.survey, &rules) {
                    CsrDecision::CsrTemplate(template) => Some((credential, template)),
                    CsrDecision::Skipped(_) | CsrDecision::Absent => None,
                }
            }
            _ => None,
        };
        let wanted = renewing.credentials.iter().zip(&evaluation.decisions).filter_map(template).collect();
        Self { site: Site::Tree(session.tree.roots.clone()), wanted }
    }

    fn specs(&self) -> Vec<CsrSpec<'_>> {
        self.wanted.iter().map(|(credential, template)| CsrSpec::of(credential, template)).collect()
    }

    /// Every request exists already.
    pub fn is_waiting(&self) -> Result<bool, Error> {
        requests::are_waiting(&self.site, &self.specs())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        requests::make(&self.site, self.specs(), threads, progress)
    }
}

/// Adds the path of each request to the report.
pub(in crate::commands::renew) fn describe(entries: &mut [RenewalEntry], made: &[Made]) {
    for one in made {
        let row = entries.iter_mut().find(|entry| entry.node == one.id.node && entry.name == one.id.name);
        let Some((row, path)) = row.zip(one.paths.first()) else { continue };
        row.reasons =
            vec![format!("its authority is external; have {} signed, then: kpki import CERT", path.display())];
    }
}
