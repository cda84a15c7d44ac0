//! What a certificate has to be: of whom, and with which names.

use super::candidates::Candidate;
use super::context::Importing;
use crate::error::Error;
use crate::plan::import::Anchors;
use crate::plan::renew::{self, Credential, CsrDecision, CsrTemplate};
use crate::workspace::rotation::{ahead, record};
use crate::workspace::{Snapshot, requests, roots};
use crate::x509::Certificate;

impl Importing<'_> {
    /// What its path has to end at.
    pub(super) fn trusted(&self, credential: &Credential) -> Result<(Anchors, Vec<Certificate>), Error> {
        let Some(authority) = credential.authority else {
            let (given, now) = (self.root, self.session.run.now);
            let (path, roots) = roots::read(given, credential.roots(), now)?;
            return Ok((Anchors::Roots(path.display().to_string()), roots));
        };
        let trusted = self.snapshot.certificate(authority).into_iter().cloned().collect();
        Ok((Anchors::Authority(authority), trusted))
    }

    /// The new authority of an entry, whose key is elsewhere, while the switch waits for what it signs.
    pub(super) fn new_signer(&self, credential: &Credential) -> Result<Vec<Certificate>, Error> {
        let Some(authority) = credential.authority else { return Ok(Vec::new()) };
        Ok(ahead::signer(&record::read(&self.session.tree.roots)?, authority))
    }

    /// The expected blueprint: from the profile or the previous certificate, else from its request.
    pub(super) fn template(&self, credential: &Credential, candidate: &Candidate) -> Option<Box<CsrTemplate>> {
        let Snapshot { survey, authorities } = self.snapshot;
        let rules = self.session.identity_rules(true);
        if let CsrDecision::CsrTemplate(template) =
            renew::ask(credential, &self.session.credentials, authorities, survey, &rules)
        {
            return Some(template);
        }
        let blueprint = requests::blueprint_of(candidate.request.as_ref()?, self.session.run.now);
        let template = CsrTemplate::new(candidate.key.algorithm(), blueprint, renew::YEAR);
        Some(Box::new(CsrTemplate { access: candidate.access.clone(), ..template }))
    }
}
