//! The given profile becomes the recorded one with the renewal that follows it, or it is said that the next run will not.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::error::Error;
use crate::plan::decision::{Decision as ByProfile, Difference};
use crate::plan::init;
use crate::plan::reconcile::reconcile;
use crate::plan::renew::{self as plan, Credential, Decision, Rules};
use crate::store::FileChange;
use crate::tree::{EntryId, Layout, ProfileAt};
use crate::workspace::state::State;
use crate::workspace::{Snapshot, record, signer_file};
use std::collections::BTreeSet;

impl Renewing<'_> {
    /// The profile to record: the whole tree follows it now, and nothing was left.
    fn new_state(&self, evaluation: &Evaluation) -> Option<&State> {
        let is_gap = |(one, decision): (&Credential, &Decision)| {
            matches!(decision, Decision::Skipped(left, _) if left.is_gap()) && !evaluation.issued.has(&one.id)
        };
        let has_gap = self.credentials.iter().zip(&evaluation.decisions).any(is_gap);
        let follows = self.is_whole() && evaluation.misfits.is_empty() && !has_gap;
        self.session.target.unrecorded.as_ref().filter(|_| follows)
    }

    /// What is there with another subject, cluster or user than the given profile's, which a renewal keeps.
    pub fn misfits(&self) -> Result<Vec<String>, Error> {
        let session = &self.session;
        let (Some(profile), Some(layout), Some(_), true) =
            (session.profile(), &session.layout, &session.target.unrecorded, self.is_whole())
        else {
            return Ok(Vec::new());
        };
        let items = signer_file::items(profile, layout, &session.tree)?;
        let Snapshot { survey, authorities } = session.tree.peek(init::places(&items))?;
        let decided = reconcile(profile, &items, &survey, &authorities, session.run.now, false);
        let stays =
            |difference: &Difference| matches!(difference, Difference::Certificate(_) | Difference::OtherAccess(_));
        let is_misfit = |decision: &ByProfile| matches!(decision, ByProfile::Conflict(differences, _) if differences.iter().any(stays));
        let misfits = items.iter().zip(&decided.decisions).filter(|(_, decision)| is_misfit(decision));
        Ok(misfits.map(|(item, _)| item.id.to_string()).collect())
    }

    pub fn records(&self, evaluation: &Evaluation) -> bool {
        self.new_state(evaluation).is_some()
    }

    /// The files of kpki's own that change with the profile.
    pub fn own_files(&self, evaluation: &Evaluation) -> Result<Vec<FileChange>, Error> {
        let session = &self.session;
        match (self.new_state(evaluation), session.profile(), &session.layout) {
            (Some(state), Some(profile), Some(layout)) => {
                let items = signer_file::items(profile, layout, &session.tree)?;
                record::own_files(state, profile, layout, &session.tree, &items)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The path of the profile that is recorded.
    pub fn recorded(&self, evaluation: &Evaluation) -> Option<String> {
        match &self.session.target.origin.profile {
            ProfileAt::File(file) if self.records(evaluation) => Some(file.clone()),
            _ => None,
        }
    }

    /// What a run by the recorded profile keeps from now on although that does not have it, and how it is taken out.
    pub fn kept_names(&self, evaluation: &Evaluation) -> Option<String> {
        let (session, rules) = (&self.session, Rules { prune_sans: true, ..self.rules() });
        if self.request.prune_sans || !self.records(evaluation) {
            return None;
        }
        let Snapshot { authorities, survey } = &evaluation.snapshot;
        let kept =
            self.credentials.iter().zip(&evaluation.decisions).filter(|(_, one)| matches!(one, Decision::Keep(_)));
        let (mut ids, mut names) = (Vec::new(), BTreeSet::new());
        for (credential, _) in kept {
            let pruned = plan::decide(credential, &session.credentials, authorities, survey, &rules);
            if let Ok(Decision::Renew(renewal)) = pruned
                && !renewal.names.removed.is_empty()
            {
                names.extend(renewal.names.removed.iter().map(ToString::to_string));
                ids.push(&credential.id);
            }
        }
        let first = ids.first()?;
        let more = if ids.len() > 1 { format!(" and {} more keep", ids.len() - 1) } else { " keeps".to_owned() };
        let is_whole = |name: &str| session.credentials.iter().all(|one| one.id.name != name || ids.contains(&&one.id));
        let word = |id: &&EntryId| if is_whole(&id.name) { id.name.clone() } else { id.to_string() };
        let words: BTreeSet<String> = ids.iter().map(word).collect();
        Some(format!(
            "{first}{more} names that are not in the profile ({}); take them out with: {}",
            names.into_iter().collect::<Vec<_>>().join(", "),
            session.target.origin.command_by_profile(
                "renew",
                &words.into_iter().collect::<Vec<_>>(),
                &["--prune-sans"]
            )
        ))
    }

    /// What the next run will not follow.
    pub fn not_recorded(&self, evaluation: &Evaluation) -> Option<String> {
        let (session, origin) = (&self.session, &self.session.target.origin);
        let ProfileAt::File(file) = &origin.profile else { return None };
        session.target.unrecorded.as_ref()?;
        if self.records(evaluation) {
            return None;
        }
        if let Some(first) = evaluation.misfits.first() {
            let more = match evaluation.misfits.len() {
                1 => String::new(),
                all => format!(" and {} more", all - 1),
            };
            return Some(format!(
                "{file} is not recorded: {first}{more} would have another subject, cluster or user by it, which a renewal keeps; \
                 kpki init with this profile names each difference"
            ));
        }
        let origin = if session.layout == Some(Layout::Cluster) { origin.whole() } else { origin.clone() };
        Some(format!(
            "{file} is not the recorded profile, which a run without --profile follows; record it, and make what it adds, with: {}",
            origin.command_by_profile("init", &[""; 0], &[])
        ))
    }
}
