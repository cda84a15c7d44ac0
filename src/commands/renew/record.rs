//! The given profile becomes the recorded one with the renewal that follows it, or it is said that the next run will not.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use crate::error::Error;
use crate::plan::renew::Decision;
use crate::store::FileChange;
use crate::tree::{Layout, ProfileAt};
use crate::workspace::state::State;
use crate::workspace::{record, signer_file};

impl Renewing<'_> {
    /// The profile to record: the whole tree follows it now, and nothing was left.
    fn new_state(&self, evaluation: &Evaluation) -> Option<&State> {
        let is_gap = |decision: &Decision| matches!(decision, Decision::Skipped(left, _) if left.is_gap());
        let follows = self.is_whole() && !evaluation.decisions.iter().any(is_gap);
        self.session.target.unrecorded.as_ref().filter(|_| follows)
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

    /// What the next run will not follow.
    pub fn not_recorded(&self, evaluation: &Evaluation) -> Option<String> {
        let (session, origin) = (&self.session, &self.session.target.origin);
        let ProfileAt::File(file) = &origin.profile else { return None };
        session.target.unrecorded.as_ref()?;
        if self.records(evaluation) {
            return None;
        }
        let origin = if session.layout == Some(Layout::Cluster) { origin.whole() } else { origin.clone() };
        Some(format!(
            "{file} is not the recorded profile, which a run without --profile follows; record it, and make what it adds, with: {}",
            origin.command_by_profile("init", &[""; 0], &[])
        ))
    }
}
