//! What `kpki renew` did, or would do.

mod document;
mod table;

use time::OffsetDateTime;

pub use document::restart as restart_value;
pub use table::restart_lines;

use super::{Facts, Form, Width, json, yaml};

/// Every tree of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renew {
    /// `--dry-run`: nothing was made and nothing written.
    pub dry_run: bool,
    pub trees: Vec<Tree>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    pub directory: String,
    pub cluster: Option<String>,
    /// The generation that keeps what was replaced.
    pub generation: Option<String>,
    pub entries: Vec<Entry>,
    /// Revocation lists that were signed anew in the same transaction.
    pub lists: Vec<crate::report::revoke::List>,
    pub restart: Vec<Restart>,
    pub hooks: Vec<Hook>,
    /// What an interrupted run had renewed, and nobody had been told.
    pub finished: Vec<String>,
    /// A failed deploy hook had everything put back as it was.
    pub rolled_back: bool,
    pub warnings: Vec<String>,
    /// Nothing could be done here; with several trees the others go on.
    pub failure: Option<Failure>,
}

/// One certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub node: Option<String>,
    pub name: String,
    pub action: Action,
    /// Why it is renewed, or left.
    pub reasons: Vec<String>,
    pub old: Option<Side>,
    pub new: Option<Side>,
    pub names_added: Vec<String>,
    pub names_removed: Vec<String>,
    /// The profile does not ask for them; they are kept.
    pub names_surplus: Vec<String>,
    pub key_reused: bool,
    /// Below the directory, or absolute for the kubelet's own.
    pub paths: Vec<String>,
}

impl Entry {
    /// It was renewed or made, or would be.
    pub const fn is_made(&self) -> bool {
        matches!(self.action, Action::Renew | Action::Create)
    }

    /// `NODE/NAME` in a cluster directory, `NAME` otherwise.
    pub fn id(&self) -> String {
        match &self.node {
            Some(node) => format!("{node}/{}", self.name),
            None => self.name.clone(),
        }
    }
}

/// What a certificate is before or after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    pub algorithm: String,
    pub facts: Facts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    Renew,
    /// It was missing.
    Create,
    #[default]
    Keep,
    /// It is not for this verb, and that is as it should be.
    Skip,
    /// It should have been renewed and could not be.
    Left,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Create => "create",
            Self::Keep => "keep",
            Self::Skip => "skip",
            Self::Left => "left",
        }
    }
}

/// What has to happen before a component uses what was renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    pub node: Option<String>,
    pub component: &'static str,
    /// `restart`, `none`, `copy-again`.
    pub action: &'static str,
    pub why: &'static str,
    pub entries: Vec<String>,
    pub command: Option<String>,
}

/// One hook that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    pub name: String,
    pub node: Option<String>,
    pub component: Option<String>,
    pub succeeded: bool,
    /// `exit status 3`, `timed out after 5m`.
    pub ended: String,
    /// The end of what it said.
    pub output: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub what: String,
    pub why: Vec<String>,
    pub hints: Vec<String>,
}

/// The answer in one word; ordered: a later one is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing was due.
    Nothing,
    Renewed,
    /// Something could not be renewed; the rest was.
    Left,
    /// A tree, or a hook, failed.
    Failed,
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing-due",
            Self::Renewed => "renewed",
            Self::Left => "left",
            Self::Failed => "failed",
        }
    }
}

impl Tree {
    pub fn outcome(&self) -> Outcome {
        let has = |action| self.entries.iter().any(|entry| entry.action == action);
        if self.failure.is_some() || self.hooks.iter().any(|hook| !hook.succeeded) {
            Outcome::Failed
        } else if has(Action::Left) {
            Outcome::Left
        } else if has(Action::Renew) || has(Action::Create) || !self.lists.is_empty() || !self.finished.is_empty() {
            Outcome::Renewed
        } else {
            Outcome::Nothing
        }
    }

    fn failures(&self) -> Vec<String> {
        let told = |text: String| format!("{}: {text}", self.directory);
        let failure = self
            .failure
            .iter()
            .map(|failure| std::iter::once(&failure.what).chain(&failure.why).cloned().collect::<Vec<_>>().join(": "));
        let left = self.entries.iter().filter(|entry| entry.action == Action::Left);
        let left = left.map(|entry| format!("{} was not renewed: {}", entry.id(), entry.reasons.join("; ")));
        let hooks = self.hooks.iter().filter(|hook| !hook.succeeded).map(|hook| {
            let of = hook.component.as_ref().map(|component| format!(" of {component}")).unwrap_or_default();
            let said = hook.output.trim_end().lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            format!("the {} hook{of} failed: {}{said}", hook.name, hook.ended)
        });
        failure.chain(left).chain(hooks).map(told).collect()
    }

    /// Something was made, or would be.
    pub fn made(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.action, Action::Renew | Action::Create)).count()
    }
}

impl Renew {
    /// The worst of all trees.
    pub fn outcome(&self) -> Outcome {
        self.trees.iter().map(Tree::outcome).max().unwrap_or(Outcome::Nothing)
    }

    /// What failed or was left, a line for each.
    pub fn failures(&self) -> Vec<String> {
        self.trees.iter().flat_map(Tree::failures).collect()
    }

    /// Ends with a newline. `now`: what "in 364d" is counted from.
    pub fn render(&self, form: Form, now: OffsetDateTime, width: Width) -> String {
        match form {
            Form::Table => table::render(self, now, width, false),
            Form::Wide => table::render(self, now, width, true),
            Form::Json => json::text(&document::value(self)),
            Form::Yaml => yaml::render(&document::value(self)),
        }
    }
}
