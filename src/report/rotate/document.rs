use serde::Serialize;

use super::steps::ToDo;
use crate::report::hook::Hook;
use crate::report::restart::Restart;
use crate::tree::rotation::{Identity, Phase, Retired, Rotating, Rotation};
use crate::tree::{EntryId, Origin};

/// What a step did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "RotationReport", rename_all = "camelCase")]
pub struct Done {
    pub dry_run: bool,
    pub directory: String,
    #[serde(rename = "clusterName")]
    pub cluster: Option<String>,
    /// `prepare`, `switch`, `retire`, `back`, `forget`, `emergency`, `record`.
    pub step: &'static str,
    pub authorities: Vec<Row>,
    /// The entries with new files.
    pub entries: Vec<Written>,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    /// What has to be restarted, in order.
    pub restart: Vec<Restart>,
    /// The nodes that are to have new files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ship: Vec<String>,
    /// The files whose private key is destroyed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destroyed: Vec<String>,
    /// What is to be done in the cluster, in order.
    pub steps: Vec<ToDo>,
    /// The file that has them as text.
    pub instructions: Option<String>,
    /// Objects of the cluster that were written for `kubectl apply`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub manifests: Vec<String>,
    /// What others must do first.
    pub left: Vec<String>,
    pub hooks: Vec<Hook>,
    pub rolled_back: bool,
    pub warnings: Vec<String>,
    #[serde(skip)]
    pub origin: Origin,
}

impl Done {
    pub fn failed_hooks(&self) -> impl Iterator<Item = &Hook> {
        self.hooks.iter().filter(|hook| !hook.succeeded)
    }
}

/// One authority, or the service account key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub authority: Rotating,
    /// `None`: it was not being rotated.
    pub from: Option<Phase>,
    /// `None`: its rotation is over.
    pub to: Option<Phase>,
    /// The subject; of the service account the `kid`.
    pub old: String,
    #[serde(rename = "oldEnds")]
    pub old_ends: Option<String>,
    pub new: Option<String>,
    #[serde(rename = "newEnds")]
    pub new_ends: Option<String>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            authority: Rotating::ServiceAccount,
            from: None,
            to: None,
            old: String::new(),
            old_ends: None,
            new: None,
            new_ends: None,
        }
    }
}

impl Row {
    /// A rotation that goes on to another phase.
    pub fn of(rotation: &Rotation, to: Option<Phase>) -> Self {
        let Rotation { authority, phase, old, new, .. } = rotation;
        let mut row = Self { authority: *authority, from: Some(*phase), to, ..Self::default() };
        row.set_names(old, new);
        row
    }
}

impl Row {
    /// One that is retired.
    pub fn of_retired(retired: &Retired) -> Self {
        let Retired { authority, old, new, .. } = retired;
        let mut row = Self { authority: *authority, ..Self::default() };
        row.set_names(old, new);
        row
    }

    /// A key whose authority is in no file any more.
    pub fn of_forgotten(authority: Rotating, old: &[Identity], present: &[Identity]) -> Self {
        let mut row = Self { authority, ..Self::default() };
        row.set_names(old, present);
        row
    }

    fn set_names(&mut self, old: &[Identity], new: &[Identity]) {
        let name = |all: &[Identity]| {
            let of = |one: &Identity| one.certificate.as_ref().map(|one| one.subject.clone()).or(one.kid.clone());
            all.first().and_then(of)
        };
        let ends = |all: &[Identity]| Some(all.first()?.certificate.as_ref()?.not_after.clone());
        (self.old, self.old_ends) = (name(old).unwrap_or_default(), ends(old));
        (self.new, self.new_ends) = (name(new), ends(new));
    }
}

/// One entry with a new file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    pub id: EntryId,
    /// `trust`: only what it trusts, `reissue`: the certificate too, `put-back`: all as it was before the switch.
    pub change: &'static str,
    pub not_after: Option<String>,
}
