//! The profile's hooks around one renewal: `pre` before anything is changed, `deploy` for each component that reads
//! renewed files, `post` at the end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::deploys::{self, Deploy};
use super::programs;
use super::renewing::Renewing;
use super::rollback::roll_back;
use crate::clock::rfc3339;
use crate::error::Error;
use crate::files::shell_path;
use crate::hooks::{self, Call, Ended};
use crate::plan::renew::Credential;
use crate::profile::{Command, OnHookFailure, Renewal};
use crate::report::renew::{Hook, Tree as Report};
use crate::signals;
use crate::workspace::Locked;
use crate::workspace::pending::PendingNotifications;

static TURN: Mutex<()> = Mutex::new(());

pub(in crate::commands::renew) struct Hooks<'a> {
    renewing: &'a Renewing<'a>,
    /// `None`: no profile, or `--no-hooks`.
    renewal: Option<&'a Renewal>,
    /// The renewed credentials.
    credentials: Vec<&'a Credential>,
}

impl<'a> Hooks<'a> {
    /// `credentials`: those renewed by this run, or by a run that was interrupted before its notifications.
    pub fn of(renewing: &'a Renewing<'a>, credentials: Vec<&'a Credential>) -> Self {
        let profile = renewing.session.profile().filter(|_| !renewing.request.no_hooks);
        Self { renewing, renewal: profile.map(|profile| &profile.renewal), credentials }
    }

    /// Runs `pre`; if it fails nothing may be changed. Nothing is either if somebody else could have written the program
    /// of a hook that may run.
    pub fn pre(&self) -> Result<Option<Hook>, Error> {
        programs::check_all(self.renewing, self.renewal)?;
        let Some(command) = self.renewal.and_then(|renewal| renewal.hooks.pre.as_ref()) else { return Ok(None) };
        let ran = self.run("pre", command, &[]);
        if ran.succeeded {
            return Ok(Some(ran));
        }
        let mut error = Error::new(format!("the pre hook failed: {}; nothing was changed", ran.ended));
        if let Err(stopped) = signals::check() {
            error.exit = Error::from(stopped).exit;
            return Err(error);
        }
        error.why = ran.output.lines().map(str::to_owned).collect();
        Err(error.hint("fix the cause, or skip the hooks with --no-hooks"))
    }

    /// Runs `post` alone: the run failed after `pre`, and `post` undoes what `pre` did, also when a signal was the cause.
    pub fn failed(&self) {
        let _clean_up = signals::clean_up();
        if let Some(command) = self.renewal.and_then(|renewal| renewal.hooks.post.as_ref()) {
            self.run("post", command, &[("KPKI_RESULT", "failed".to_owned())]);
        }
    }

    /// Runs `deploy` and `post`; returns what is still pending. If a deploy hook fails and the profile has
    /// `onHookFailure: restore`, the replaced files are restored and the components are notified again. A hook that a signal
    /// ended or kept from running has not failed: it is due with the next run.
    pub fn after(
        &self,
        report: &mut Report,
        pending: &PendingNotifications,
        locked: &Locked<'_>,
    ) -> PendingNotifications {
        let generation = &pending.generation;
        let mut left = PendingNotifications { entries: Vec::new(), ..pending.clone() };
        let Some(renewal) = self.renewal else { return left };
        let restores = renewal.on_hook_failure == OnHookFailure::Restore && !pending.rolled_back;
        let (mut notified, mut failed): (Vec<Deploy<'_>>, bool) = (Vec::new(), false);
        for deploy in deploys::of(&self.credentials, renewal, self.renewing.session.release()) {
            let succeeded = self.notify(&deploy, generation, report, &mut left);
            notified.push(deploy);
            failed |= !succeeded && signals::check().is_ok();
            if failed && restores {
                break;
            }
        }
        report.rolled_back = pending.rolled_back;
        // A rollback is not left half done.
        let _clean_up = (failed && restores).then(signals::clean_up);
        if failed && restores {
            left.entries = notified.iter().flat_map(Deploy::ids).collect();
            left.rolled_back = true;
            match roll_back(&self.renewing.session, &left, locked) {
                Ok(()) => {
                    report.rolled_back = true;
                    left.entries.clear();
                    for deploy in &notified {
                        self.notify(deploy, generation, report, &mut left);
                    }
                }
                Err(error) => {
                    // The components after the one that failed have not been notified.
                    left = pending.clone();
                    let why = std::iter::once(&error.what).chain(&error.why).cloned().collect::<Vec<_>>().join(": ");
                    report.warnings.push(format!(
                        "the old certificates were not restored: {why}; try: kpki restore {generation} --dir {}",
                        shell_path(&report.directory)
                    ));
                }
            }
        }
        if report.rolled_back {
            report.restart.clear();
        }
        if let Some(command) = &renewal.hooks.post {
            let result = deploys::result(report.rolled_back, failed);
            let more = [("KPKI_GENERATION", generation.clone()), ("KPKI_RESULT", result.to_owned())];
            let ran = self.run("post", command, &more);
            // With the next run, for which a component is notified once more.
            if !ran.succeeded && signals::check().is_err() && left.entries.is_empty() {
                left.entries.clone_from(&pending.entries);
            }
            report.hooks.push(ran);
        }
        left
    }

    /// Runs one deploy hook; the entries of one that fails are left.
    fn notify(
        &self,
        deploy: &Deploy<'_>,
        generation: &str,
        report: &mut Report,
        left: &mut PendingNotifications,
    ) -> bool {
        let ran = self.deploy(deploy, generation);
        let succeeded = ran.succeeded;
        if !succeeded {
            left.entries.extend(deploy.ids());
        }
        report.hooks.push(ran);
        succeeded
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
        let profile = self.renewing.session.profile();
        let main = &self.renewing.session.tree.roots.main;
        let directory = std::path::absolute(main).unwrap_or_else(|_| main.clone());
        let ids: Vec<String> = self.credentials.iter().map(|one| one.id.to_string()).collect();
        let mut variables = vec![
            ("KPKI_HOOK", name.to_owned()),
            ("KPKI_DIR", directory.display().to_string()),
            ("KPKI_CLUSTER", profile.map(|profile| profile.cluster_name.clone()).unwrap_or_default()),
            ("KPKI_TIME", rfc3339(self.renewing.session.run.now)),
            ("KPKI_ENTRIES", ids.join(" ")),
        ];
        for (key, value) in more {
            variables.retain(|(known, _)| known != key);
            variables.push((key, value.clone()));
        }
        let hook = |succeeded, ended, output| Hook {
            name: name.to_owned(),
            node: None,
            component: None,
            succeeded,
            ended,
            output,
        };
        // Of a run that was interrupted, or of a file that the pre hook has changed.
        if let Err(why) = programs::check(self.renewing, command) {
            return hook(false, format!("not run: {}", why.what), String::new());
        }
        let timeout = self.renewal.map_or(0, |renewal| renewal.hooks.timeout.as_seconds());
        // The hooks of different trees do not run at the same time.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = hooks::run(&Call {
            command,
            inherited: &self.renewing.request.inherited,
            variables: &variables,
            timeout: Duration::from_secs(timeout),
        });
        hook(outcome.ended == Ended::Success, crate::error::ended(&outcome.ended, timeout), outcome.output)
    }
}
