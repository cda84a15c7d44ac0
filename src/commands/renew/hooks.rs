//! The profile's hooks around one renewal: `pre` before anything is touched, `deploy` for each component that reads what was
//! renewed, `post` at the end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::tree::Tree;
use crate::clock::rfc3339;
use crate::commands::restarts::restarts;
use crate::commands::restore;
use crate::error::Error;
use crate::hooks::{self, Call, Ended};
use crate::plan::renew::Credential;
use crate::profile::{Command, OnHookFailure, Renewal};
use crate::report::renew::{Hook, Tree as Report};
use crate::store::TreeLock;

static TURN: Mutex<()> = Mutex::new(());

pub struct Hooks<'a> {
    tree: &'a Tree<'a>,
    /// `None`: no profile, or `--no-hooks`.
    renewal: Option<&'a Renewal>,
    /// What is renewed.
    credentials: Vec<&'a Credential>,
}

/// One deploy hook to run.
struct Deploy<'a> {
    command: &'a Command,
    node: Option<String>,
    component: String,
    action: &'static str,
    entries: Vec<String>,
}

impl Deploy<'_> {
    fn ids(&self) -> impl Iterator<Item = String> {
        self.entries.iter().map(|name| match &self.node {
            Some(node) => format!("{node}/{name}"),
            None => name.clone(),
        })
    }
}

impl<'a> Hooks<'a> {
    /// `credentials`: what is renewed, or was by a run that could not tell anybody.
    pub fn of(tree: &'a Tree<'a>, credentials: Vec<&'a Credential>) -> Self {
        let profile = tree.target.profile.as_ref().filter(|_| !tree.request.no_hooks);
        Self { tree, renewal: profile.map(|profile| &profile.renewal), credentials }
    }

    /// Runs `pre`; when it fails nothing may be touched.
    pub fn pre(&self) -> Result<Option<Hook>, Error> {
        let Some(command) = self.renewal.and_then(|renewal| renewal.hooks.pre.as_ref()) else { return Ok(None) };
        let ran = self.run("pre", command, &[]);
        if ran.succeeded {
            return Ok(Some(ran));
        }
        let mut error = Error::new(format!("the pre hook failed: {}; nothing was touched", ran.ended));
        error.why = ran.output.lines().map(str::to_owned).collect();
        Err(error.hint("mend what it checks, or leave the hooks out with --no-hooks"))
    }

    /// Runs `post` alone: what came after `pre` failed, and whatever `pre` did is to be undone.
    pub fn failed(&self) {
        if let Some(command) = self.renewal.and_then(|renewal| renewal.hooks.post.as_ref()) {
            self.run("post", command, &[("KPKI_RESULT", "failed".to_owned())]);
        }
    }

    /// Runs `deploy` and `post`; gives the ids of the entries whose reader still does not know. Where a deploy hook fails and the
    /// profile says so, everything this run replaced is put back, and the components that had been told are told again.
    pub fn after(&self, report: &mut Report, generation: &str, hold: &TreeLock) -> Vec<String> {
        let Some(renewal) = self.renewal else { return Vec::new() };
        let deploys = self.deploys(renewal);
        let restores = renewal.on_hook_failure == OnHookFailure::Restore && report.generation.is_some();
        let generation = generation.to_owned();
        let mut unnotified: Vec<String> = Vec::new();
        let mut told: Vec<&Deploy<'_>> = Vec::new();
        let mut failed = false;
        for deploy in &deploys {
            told.push(deploy);
            let ran = self.deploy(deploy, &generation);
            if !ran.succeeded {
                failed = true;
                unnotified.extend(deploy.ids());
            }
            report.hooks.push(ran);
            if failed && restores {
                break;
            }
        }
        if failed && restores {
            match restore::put_back(
                &self.tree.roots,
                hold,
                &generation,
                renewal.keep_generations,
                self.tree.request.now,
            ) {
                Ok(_) => {
                    report.rolled_back = true;
                    report.restart.clear();
                    unnotified.clear();
                    let again: Vec<Hook> = told.iter().map(|deploy| self.deploy(deploy, &generation)).collect();
                    report.hooks.extend(again);
                }
                Err(error) => report.warnings.push(format!(
                    "the old certificates could not be put back: {}; try: kpki restore {generation} --dir {}",
                    error.what, report.directory
                )),
            }
        }
        if let Some(command) = &renewal.hooks.post {
            let result = match (report.rolled_back, failed) {
                (true, _) => "restored",
                (false, true) => "failed",
                (false, false) => "renewed",
            };
            let more = [("KPKI_GENERATION", generation), ("KPKI_RESULT", result.to_owned())];
            report.hooks.push(self.run("post", command, &more));
        }
        unnotified
    }

    fn deploys<'r>(&self, renewal: &'r Renewal) -> Vec<Deploy<'r>> {
        let changed = self.credentials.iter().map(|one| (one.node.as_deref(), one.name.as_str()));
        let known = restarts(changed).into_iter().filter(|restart| restart.component != "people");
        let mut all: Vec<Deploy<'r>> = known
            .filter_map(|restart| {
                Some(Deploy {
                    command: renewal.hooks.deploy(restart.component)?,
                    node: restart.node,
                    component: restart.component.to_owned(),
                    action: restart.action,
                    entries: restart.entries,
                })
            })
            .collect();
        merge(&mut all);
        // An extra certificate is read by something only the profile's author knows.
        for extra in self.credentials.iter().filter(|one| one.entry.is_none()) {
            all.extend(renewal.hooks.deploy(&extra.name).map(|command| Deploy {
                command,
                node: extra.node.clone(),
                component: extra.name.clone(),
                action: "restart",
                entries: vec![extra.name.clone()],
            }));
        }
        all
    }

    fn deploy(&self, deploy: &Deploy<'_>, generation: &str) -> Hook {
        let more = [
            ("KPKI_COMPONENT", deploy.component.clone()),
            ("KPKI_ACTION", deploy.action.to_owned()),
            ("KPKI_NODE", deploy.node.clone().unwrap_or_default()),
            ("KPKI_ENTRIES", deploy.entries.join(" ")),
            ("KPKI_GENERATION", generation.to_owned()),
        ];
        Hook {
            node: deploy.node.clone(),
            component: Some(deploy.component.clone()),
            ..self.run("deploy", deploy.command, &more)
        }
    }

    fn run(&self, name: &'static str, command: &Command, more: &[(&'static str, String)]) -> Hook {
        let profile = self.tree.target.profile.as_ref();
        let directory = std::path::absolute(&self.tree.roots.main).unwrap_or_else(|_| self.tree.roots.main.clone());
        let ids: Vec<String> = self.credentials.iter().map(|one| one.id()).collect();
        let mut variables = vec![
            ("KPKI_HOOK", name.to_owned()),
            ("KPKI_DIR", directory.display().to_string()),
            ("KPKI_CLUSTER", profile.map(|profile| profile.cluster_name.clone()).unwrap_or_default()),
            ("KPKI_TIME", rfc3339(self.tree.request.now)),
            ("KPKI_ENTRIES", ids.join(" ")),
        ];
        for (key, value) in more {
            variables.retain(|(known, _)| known != key);
            variables.push((key, value.clone()));
        }
        let timeout = self.renewal.map_or(0, |renewal| renewal.hooks.timeout.as_seconds());
        // One tree's hooks do not run into another's.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = hooks::run(&Call {
            command,
            inherited: &self.tree.request.inherited,
            variables: &variables,
            timeout: Duration::from_secs(timeout),
        });
        Hook {
            name: name.to_owned(),
            node: None,
            component: None,
            succeeded: outcome.ended == Ended::Success,
            ended: crate::error::ended(&outcome.ended, timeout),
            output: outcome.output,
        }
    }
}

/// One call for each component of each node, whatever it has to do with each of its files.
fn merge(all: &mut Vec<Deploy<'_>>) {
    let mut merged: Vec<Deploy<'_>> = Vec::new();
    for deploy in all.drain(..) {
        let same = |other: &&mut Deploy<'_>| other.node == deploy.node && other.component == deploy.component;
        match merged.iter_mut().find(same) {
            Some(known) => {
                known.entries.extend(deploy.entries);
                if deploy.action == "restart" {
                    known.action = deploy.action;
                }
            }
            None => merged.push(deploy),
        }
    }
    *all = merged;
}
