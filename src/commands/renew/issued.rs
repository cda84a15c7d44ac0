//! Renewals by the issuers of authorities elsewhere: what waits for them is asked for again, due or not.

use std::collections::BTreeSet;

use super::evaluate::Evaluation;
use super::external::{self, external};
use super::renewing::Renewing;
use super::summary::side;
use crate::blueprint::San;
use crate::error::Error;
use crate::plan::outside::Outside;
use crate::plan::renew::{self as plan, Credential, Decision, Skipped};
use crate::report::renew::{Action, RenewalEntry};
use crate::tree::{Authority, EntryId};
use crate::workspace::issuing::{self, Answer};
use crate::workspace::requests::{Made, Site};
use crate::workspace::rotation::{ahead, record};
use crate::workspace::{Locked, Progress, Snapshot, survey};

impl Renewing<'_> {
    /// A request that waits for its issuer is due, however old the certificate is. Those of an authority that is to be replaced, which wait
    /// for the new one.
    pub fn ask_again(&self, decisions: &mut [Decision], snapshot: &Snapshot) -> Result<BTreeSet<EntryId>, Error> {
        let record = record::read(&self.session.tree.roots)?;
        let mut for_new = BTreeSet::new();
        for (credential, decision) in self.credentials.iter().zip(decisions) {
            let leaf = match decision {
                Decision::Keep(leaf) => Some(leaf.clone()),
                // Made only by name; its request says that it was.
                Decision::Skipped(Skipped::NotReplenished, _) => None,
                _ => continue,
            };
            let outside = match credential.authority {
                None => Outside::Authority,
                Some(id) if matches!(snapshot.authorities.get(&id), Some(Authority::External(_))) => Outside::Key(id),
                Some(_) => continue,
            };
            let has_issuer = credential.issuer(self.session.profile()).is_some();
            if has_issuer && self.waits(credential)? {
                *decision = Decision::Skipped(Skipped::External(outside), leaf);
                if credential.authority.is_some_and(|authority| !ahead::signer(&record, authority).is_empty()) {
                    for_new.insert(credential.id.clone());
                }
            }
        }
        Ok(for_new)
    }

    /// There is a request, and not what the new authority of a rotation has signed for it.
    fn waits(&self, credential: &Credential) -> Result<bool, Error> {
        let roots = &self.session.tree.roots;
        let files = Site::Tree(roots.clone()).files(&credential.public, credential.private.as_ref())?;
        let is_there = |path| Ok::<_, Error>(survey::read(roots, files.root, path)?.is_some());
        Ok(is_there(&files.key)? && !is_there(&files.certificate)?)
    }

    /// Something is to be asked for.
    pub fn asks(&self, evaluation: &Evaluation) -> bool {
        !issuing::orders(&self.session, &external(self, evaluation)).is_empty()
    }

    pub fn ask(
        &self,
        evaluation: &Evaluation,
        locked: &Locked<'_>,
        progress: Progress<'_>,
    ) -> Result<Vec<Answer>, Error> {
        let wanted = external(self, evaluation);
        issuing::ask(&self.session, &wanted, &evaluation.snapshot, (locked, "renew"), progress)
    }

    /// The same with what was issued.
    pub fn with(&self, mut evaluation: Evaluation, answers: &[Answer]) -> Result<Evaluation, Error> {
        evaluation.issued = issuing::take(&self.session, &evaluation.snapshot, answers, &evaluation.for_new)?;
        // The new file has it all.
        let Evaluation { repairs, issued, .. } = &mut evaluation;
        repairs.retain(|repair| !issued.has(&repair.id));
        Ok(evaluation)
    }

    /// What whoever signs the requests is to be given; an issuer has been asked already.
    pub fn describe(&self, entries: &mut [RenewalEntry], evaluation: &Evaluation, requests: &[Made]) {
        external::describe(entries, requests, &self.session.target.origin);
        self.describe_issued(entries, evaluation);
    }

    /// Says of each request with an issuer what came of it; before anybody was asked, who would be.
    pub fn describe_issued(&self, entries: &mut [RenewalEntry], evaluation: &Evaluation) {
        let issued = &evaluation.issued;
        let wanted = external(self, evaluation);
        for order in issuing::orders(&self.session, &wanted) {
            if let Some(row) = entries.iter_mut().find(|row| row.id == order.credential.id) {
                row.reasons = vec![format!("{} would be asked for it", order.program())];
            }
        }
        for left in &issued.left {
            if let Some(row) = entries.iter_mut().find(|row| row.id == left.id) {
                row.reasons = vec![left.why.clone()];
            }
        }
        for (id, certificate) in issued.certificates() {
            let Some(row) = entries.iter_mut().find(|row| row.id == *id) else { continue };
            row.action = if row.old.is_some() { Action::Renew } else { Action::Create };
            row.reasons = issued.programs.get(id).map(|program| format!("issued by {program}")).into_iter().collect();
            row.new = Some(side(certificate));
            let before = self.credentials.iter().find(|one| one.id == *id);
            let before = before.and_then(|one| plan::certificate_of(one, &evaluation.snapshot.survey));
            let before = before.map(|before| before.sans).unwrap_or_default();
            let lacks = |in_it: &[San], of: &[San]| -> Vec<String> {
                of.iter().filter(|name| !in_it.contains(name)).map(ToString::to_string).collect()
            };
            (row.names_added, row.names_removed) =
                (lacks(&before, &certificate.sans), lacks(&certificate.sans, &before));
        }
    }
}
