//! What somebody else signs: requests with new keys, beside the running tree.

use super::tree::{Seen, Tree};
use crate::commands::Progress;
use crate::commands::requests::{self, CsrSpec, Made, Site};
use crate::error::Error;
use crate::plan::renew::{self as plan, Credential, CsrDecision, CsrTemplate, Decision, Skipped};
use crate::report::renew::RenewalEntry;

/// What is due and signed by an authority without its key.
pub struct External<'a> {
    site: Site,
    wanted: Vec<(&'a Credential, Box<CsrTemplate>)>,
}

impl<'a> External<'a> {
    pub fn of(tree: &'a Tree<'_>, seen: &Seen) -> Self {
        let rules = tree.rules();
        let ask = |(credential, decision): (&'a Credential, &Decision)| match decision {
            Decision::Skipped(Skipped::External(_), _) => {
                match plan::ask(credential, &tree.all, &seen.signers, &seen.survey, &rules) {
                    CsrDecision::CsrTemplate(ask) => Some((credential, ask)),
                    CsrDecision::Skipped(_) | CsrDecision::Absent => None,
                }
            }
            _ => None,
        };
        let wanted = tree.credentials.iter().zip(&seen.decisions).filter_map(ask).collect();
        Self { site: Site::Tree(tree.roots.clone()), wanted }
    }

    fn specs(&self) -> Vec<CsrSpec<'_>> {
        self.wanted.iter().map(|(credential, ask)| CsrSpec::of(credential, ask)).collect()
    }

    /// Every request waits already.
    pub fn is_there(&self) -> Result<bool, Error> {
        requests::are_there(&self.site, &self.specs())
    }

    pub fn make(&self, threads: usize, progress: Progress<'_>) -> Result<Vec<Made>, Error> {
        requests::make(&self.site, self.specs(), threads, progress)
    }
}

/// Says in the report where each request waits.
pub fn tell(entries: &mut [RenewalEntry], made: &[Made]) {
    for one in made {
        let row = entries.iter_mut().find(|entry| entry.node == one.node && entry.name == one.name);
        let Some((row, path)) = row.zip(one.paths.first()) else { continue };
        row.reasons =
            vec![format!("its authority's key is not here; have {} signed, then: kpki import CERT", path.display())];
    }
}
