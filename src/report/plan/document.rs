use serde::Serialize;
use time::OffsetDateTime;

use crate::report::json::instant;
use crate::report::renew::Failure;
use crate::tree::EntryId;

/// Every cluster of one run, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename = "PlanReport", rename_all = "camelCase")]
pub struct Plan {
    #[serde(serialize_with = "instant")]
    pub at: OffsetDateTime,
    /// The worst of all clusters.
    pub outcome: Outcome,
    pub clusters: Vec<Cluster>,
    /// The command that shows all of it.
    #[serde(skip)]
    pub command: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Of a fleet NAME of NAME.yaml, else the directory.
    pub name: String,
    pub cluster_name: Option<String>,
    pub directory: String,
    /// The given profile.
    #[serde(rename = "profileFile")]
    pub file: Option<String>,
    pub profile: ProfileState,
    /// What the given profile says otherwise than the recorded one.
    pub differences: Vec<FieldChange>,
    /// Known once the cluster is part of a [`Plan`].
    pub outcome: Outcome,
    pub changes: Vec<Change>,
    /// Authorities that would sign with a key that is encrypted or elsewhere: whether it opens is known when it does.
    pub keys_to_open: Vec<&'static str>,
    pub rotations: Vec<Rotating>,
    /// What init and renew would warn about.
    pub warnings: Vec<Remark>,
    /// What could not be read, or would be refused.
    pub failures: Vec<Refused>,
}

/// The profile beside what the tree records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProfileState {
    /// It means the same as the recorded one.
    Same,
    Changed,
    /// There is no tree yet.
    New,
    /// The tree records none yet.
    Unrecorded,
    /// The tree is beside no profile; it goes on with the one that it records.
    Gone,
    /// It cannot be used.
    Wrong,
    /// Nothing was given, and nothing is recorded.
    #[default]
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    pub field: String,
    pub removed: Vec<String>,
    pub added: Vec<String>,
}

/// One entry or CRL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    pub action: Action,
    #[serde(flatten)]
    pub id: EntryId,
    pub verb: Verb,
    pub reasons: Vec<String>,
    pub names_added: Vec<String>,
    pub names_removed: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Make,
    Renew,
    /// A CRL.
    Sign,
    /// It should be made or renewed, and cannot be: by others, later, or by hand.
    Left,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    Profile,
    Init,
    Renew,
}

/// An authority or the service account key, between the old one and the new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotating {
    pub name: &'static str,
    pub phase: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remark {
    pub verb: Verb,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    pub verb: Verb,
    #[serde(flatten)]
    pub failure: Failure,
}

/// The answer in one word; ordered: a later one is worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    #[default]
    Nothing,
    /// Something would change, or is left.
    Changes,
    /// It could not be read, or would be refused.
    Refused,
    /// The profile is wrong.
    Wrong,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "-",
            Self::Changes => "changes",
            Self::Refused => "REFUSED",
            Self::Wrong => "WRONG",
        }
    }
}

impl ProfileState {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Unrecorded => "unrecorded",
            Self::Gone => "gone",
            Self::Wrong => "wrong",
            Self::None => "none",
        }
    }
}

impl Plan {
    pub fn new(at: OffsetDateTime, mut clusters: Vec<Cluster>, command: String) -> Self {
        for cluster in &mut clusters {
            cluster.outcome = cluster.judge();
        }
        clusters.sort_by(|one, other| (&one.name, &one.directory).cmp(&(&other.name, &other.directory)));
        let outcome = clusters.iter().map(|cluster| cluster.outcome).max().unwrap_or_default();
        Self { at, outcome, clusters, command }
    }

    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.clusters.iter().filter(|cluster| cluster.outcome == outcome).count()
    }

    /// What failed, a line for each.
    pub fn failures(&self) -> Vec<String> {
        let lines = |cluster: &Cluster| {
            cluster.failures.iter().map(|one| format!("{}: {}", cluster.name, one.said())).collect::<Vec<_>>()
        };
        self.clusters.iter().flat_map(lines).collect()
    }
}

impl Cluster {
    fn judge(&self) -> Outcome {
        let records = matches!(self.profile, ProfileState::Changed | ProfileState::New | ProfileState::Unrecorded);
        match () {
            () if self.profile == ProfileState::Wrong => Outcome::Wrong,
            () if !self.failures.is_empty() => Outcome::Refused,
            () if records || !self.changes.is_empty() => Outcome::Changes,
            () => Outcome::Nothing,
        }
    }

    /// People are told more of it than its row.
    pub(super) fn is_told(&self) -> bool {
        self.outcome != Outcome::Nothing || self.profile == ProfileState::Gone
    }

    pub(super) fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

impl Refused {
    /// What was refused and why, in one line.
    pub fn said(&self) -> String {
        let all: Vec<&str> = std::iter::once(&self.failure.what).chain(&self.failure.why).map(String::as_str).collect();
        all.join(": ")
    }
}
