use serde::Serialize;

use super::afterwards::Afterwards;
use crate::report::certificate::Side;
use crate::report::hook::Hook;
use crate::report::restart::Restart;
use crate::report::revoke;
use crate::tree::EntryId;

/// Every tree of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RenewReport", rename_all = "camelCase")]
pub struct Renew {
    /// `--dry-run`: nothing was made and nothing written.
    pub dry_run: bool,
    /// The worst of all trees.
    pub outcome: Outcome,
    pub trees: Vec<Tree>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tree {
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    /// Known once the tree is part of a [`Renew`].
    pub outcome: Outcome,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    /// What an interrupted run had renewed, and has not been reported yet.
    pub finished: Vec<String>,
    /// A failed deploy hook had everything put back as it was.
    pub rolled_back: bool,
    pub entries: Vec<RenewalEntry>,
    /// CRLs that were signed in the same transaction.
    #[serde(rename = "revocationLists")]
    pub lists: Vec<revoke::CrlRow>,
    pub restart: Vec<Restart>,
    pub hooks: Vec<Hook>,
    pub warnings: Vec<String>,
    /// Why keys of authorities could not be opened: warnings, and with `--quiet` failures.
    #[serde(skip)]
    pub unopened: Vec<String>,
    /// Authorities that sign, and whose keys are no plain files here: each has to be opened first.
    #[serde(skip)]
    pub closed: Vec<&'static str>,
    /// What is due and renewed on another host, as a warning.
    pub elsewhere: Option<String>,
    /// The nodes of a cluster directory with something new, which they are to have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ship: Vec<String>,
    /// The given profile, which is the tree's recorded one from now on.
    #[serde(rename = "recordedProfile", skip_serializing_if = "Option::is_none")]
    pub recorded: Option<String>,
    /// What is left to do in the cluster, of each authority that was renewed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub afterwards: Vec<Afterwards>,
    /// Authorities that were renewed with their keys.
    #[serde(skip)]
    pub authorities: Vec<&'static str>,
    /// The kubelet's own, where the command line said it.
    #[serde(skip)]
    pub kubelet_dir: Option<String>,
    /// Nothing could be done here; with several trees the others go on.
    pub failure: Option<Failure>,
}

/// One certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalEntry {
    #[serde(flatten)]
    pub id: EntryId,
    pub action: Action,
    /// Why it is renewed, or skipped.
    pub reasons: Vec<String>,
    /// The last reason is the same for all that its authority would have signed: people are told it once.
    #[serde(skip)]
    pub unopened: bool,
    pub key_reused: bool,
    pub names_added: Vec<String>,
    pub names_removed: Vec<String>,
    /// They are not in the profile and are kept.
    pub names_surplus: Vec<String>,
    pub old: Option<Side>,
    pub new: Option<Side>,
    /// Below the directory, or absolute for the kubelet's own.
    pub paths: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Renew,
    /// It was missing.
    Create,
    #[default]
    Keep,
    /// It is not for this verb, and that is as it should be.
    #[serde(rename = "skip")]
    NotApplicable,
    /// It should have been renewed and could not be.
    #[serde(rename = "left")]
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub what: String,
    pub why: Vec<String>,
    pub hints: Vec<String>,
}

/// The answer in one word; ordered: a later one is worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    #[default]
    #[serde(rename = "nothing-due")]
    Nothing,
    Renewed,
    /// Something could not be renewed; the rest was.
    #[serde(rename = "left")]
    Partial,
    /// A tree, or a hook, failed.
    Failed,
}

impl Renew {
    pub fn new(dry_run: bool, mut trees: Vec<Tree>) -> Self {
        for tree in &mut trees {
            tree.outcome = tree.judge();
        }
        let outcome = trees.iter().map(|tree| tree.outcome).max().unwrap_or_default();
        Self { dry_run, outcome, trees }
    }

    /// What failed or was skipped, a line for each.
    pub fn failures(&self) -> Vec<String> {
        self.trees.iter().flat_map(Tree::failures).collect()
    }
}

impl Tree {
    fn judge(&self) -> Outcome {
        if self.failure.is_some() || self.rolled_back || self.failed_hooks().next().is_some() {
            Outcome::Failed
        } else if self.skipped().next().is_some() || self.left_lists().next().is_some() {
            Outcome::Partial
        } else if self.made() > 0 || !self.lists.is_empty() || !self.finished.is_empty() {
            Outcome::Renewed
        } else {
            Outcome::Nothing
        }
    }

    fn failures(&self) -> Vec<String> {
        let failure = self.failure.iter().map(|failure| {
            let causes: Vec<&str> = std::iter::once(&failure.what).chain(&failure.why).map(String::as_str).collect();
            causes.join(": ")
        });
        let skipped = self.skipped().map(|entry| format!("{} was not renewed: {}", entry.id, entry.said()));
        let lists = self.left_lists().map(|list| {
            format!("{} is due, and was not signed: {}", list.name, list.why.as_deref().unwrap_or_default())
        });
        let hooks = self.failed_hooks().map(Hook::failure);
        let undone = self.rolled_back && self.failed_hooks().next().is_none();
        let undone = undone.then(|| "an interrupted renewal was undone, because a deploy hook had failed".to_owned());
        failure
            .chain(self.unopened.iter().cloned())
            .chain(skipped)
            .chain(lists)
            .chain(hooks)
            .chain(undone)
            .map(|text| format!("{}: {text}", self.directory))
            .collect()
    }

    /// How many were renewed or made, or would be.
    pub fn made(&self) -> usize {
        self.entries.iter().filter(|entry| entry.is_made()).count()
    }

    pub(super) fn skipped(&self) -> impl Iterator<Item = &RenewalEntry> {
        self.entries.iter().filter(|entry| entry.action == Action::Skipped)
    }

    pub(super) fn left_lists(&self) -> impl Iterator<Item = &revoke::CrlRow> {
        self.lists.iter().filter(|list| list.action == revoke::Signing::Skipped)
    }

    pub(super) fn failed_hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(|hook| !hook.succeeded)
    }
}

impl RenewalEntry {
    /// The reasons, for people.
    pub(super) fn said(&self) -> String {
        let own = self.reasons.len().saturating_sub(usize::from(self.unopened));
        self.reasons.iter().take(own).map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// Its old certificate is on a CRL.
    pub fn was_revoked(&self) -> bool {
        self.reasons.iter().any(|reason| reason.starts_with("revoked since "))
    }

    /// It is to be there, and is not.
    pub const fn is_missing(&self) -> bool {
        matches!(self.action, Action::Skipped) && self.old.is_none()
    }

    /// It was renewed or made, or would be.
    pub const fn is_made(&self) -> bool {
        matches!(self.action, Action::Renew | Action::Create)
    }
}
