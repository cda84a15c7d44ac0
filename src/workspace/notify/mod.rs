//! The profile's hooks around a run that puts new files in place: `pre` before anything is changed, `deploy` for each
//! component that reads new files, `post` at the end.

mod deploys;
mod rollback;
mod static_pod;
mod trust;

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use crate::clock::{Span, rfc3339};
use crate::error::Error;
use crate::plan::unpack as plan;
use crate::profile::{Command, DeployHook, OnHookFailure, Profile, Renewal};
use crate::programs::{self, Call, Ended};
use crate::report::hook::Hook;
use crate::signals;
use crate::tree::EntryId;
use crate::workspace::pending::PendingNotifications;
use crate::workspace::tree_dir::{Locked, TreeDir};
use deploys::Deploy;
use rollback::{is_step, not_restored, roll_back, step_stays, undoable};
use static_pod::Restart;

static TURN: Mutex<()> = Mutex::new(());

/// Who is told of new files, and how.
#[derive(Debug)]
pub struct Notifier<'a> {
    pub tree: &'a TreeDir,
    /// `None`: no profile, or `--no-hooks`.
    pub profile: Option<&'a Profile>,
    /// The environment of hooks, from this process's.
    pub inherited: &'a [(&'static str, OsString)],
    pub now: OffsetDateTime,
    /// Whose files are new: by this run, or by a run that was interrupted before its notifications.
    pub changed: Vec<EntryId>,
    /// Only what runs on this node is notified; `None`: what the entries' readers are.
    pub node: Option<&'a str>,
}

/// For which run its deploy hooks are.
#[derive(Clone, Copy)]
struct Run<'a> {
    /// As hooks are told it.
    generation: &'a str,
    /// That of this run, if it has one.
    own: &'a str,
    /// What restarted pods are marked with.
    mark: &'a str,
    locked: &'a Locked<'a>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Notified {
    pub hooks: Vec<Hook>,
    /// A failed deploy hook had everything put back as it was.
    pub rolled_back: bool,
    pub warnings: Vec<String>,
}

/// A change between its hooks: `pre`, then the change, and `post` if it fails after `pre`. What was `decided` is decided `again` where
/// a hook may have changed files. `None`: nothing is changed that hooks are for.
pub fn around<D, T>(
    notifier: Option<&Notifier<'_>>,
    decided: D,
    again: impl FnOnce() -> Result<D, Error>,
    change: impl FnOnce(D) -> Result<T, Error>,
) -> Result<(T, Option<Hook>), Error> {
    let pre = notifier.map(Notifier::pre).transpose()?.flatten();
    let current = if pre.is_some() { again() } else { Ok(decided) };
    let done = current.and_then(change).inspect_err(|_| {
        if let (Some(notifier), true) = (notifier, pre.is_some()) {
            notifier.failed();
        }
    })?;
    Ok((done, pre))
}

impl Notifier<'_> {
    /// Runs `pre`; if it fails nothing may be changed. Nothing is either if somebody else could have written the program
    /// of a hook that may run.
    pub fn pre(&self) -> Result<Option<Hook>, Error> {
        trust::check_all(self.inherited, self.renewal())?;
        let deploys = self.profile.map(|profile| self.deploys(profile)).unwrap_or_default();
        let mut restarts = deploys.iter().filter(|one| matches!(one.hook, DeployHook::StaticPod { .. }));
        restarts.try_for_each(|one| static_pod::check(self.tree, one))?;
        let Some(command) = self.renewal().and_then(|renewal| renewal.hooks.pre.as_ref()) else { return Ok(None) };
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
        if let Some(command) = self.renewal().and_then(|renewal| renewal.hooks.post.as_ref()) {
            self.run("post", command, &[("KPKI_RESULT", "failed".to_owned())]);
        }
    }

    /// Runs `deploy` and `post`, and keeps what is still pending for the next run. If a deploy hook fails and the profile has
    /// `onHookFailure: restore`, what this run replaced is restored and the components are notified again. A hook that a signal
    /// ended or kept from running has not failed: it is due with the next run. `own`: the generation of this run, if it has one.
    pub fn notify(&self, pending: &PendingNotifications, own: Option<&str>, locked: &Locked<'_>) -> Notified {
        let mut notified = Notified::default();
        let left = self.after(&mut notified, pending, own, locked);
        // The files are in place; the notifications may be repeated. Also after a signal the next run has to know which.
        let _clean_up = signals::clean_up();
        if let Err(error) = left.keep(&self.tree.roots) {
            notified.warnings.push(format!("the next run will repeat the notifications: {}", error.what));
        }
        notified
    }

    /// Returns what is still pending.
    fn after(
        &self,
        report: &mut Notified,
        pending: &PendingNotifications,
        own: Option<&str>,
        locked: &Locked<'_>,
    ) -> PendingNotifications {
        let generation = &pending.generation;
        let mut left = PendingNotifications { entries: Vec::new(), ..pending.clone() };
        let Some(profile) = self.profile else { return left };
        let renewal = &profile.renewal;
        let is_asked = renewal.on_hook_failure == OnHookFailure::Restore && !pending.rolled_back;
        let of_step = is_step(own.unwrap_or(generation));
        let wants = is_asked && !of_step;
        let undoable = if wants { undoable(&self.tree.roots, pending, own) } else { Ok(None) };
        let restores = matches!(undoable, Ok(Some(_)));
        let all = self.deploys(profile);
        let run = Run { generation, own: own.unwrap_or(generation), mark: pending.mark(), locked };
        let (mut told, mut failed) = (0, false);
        for deploy in &all {
            let succeeded = self.tell(deploy, &run, report, &mut left);
            told += 1;
            failed |= !succeeded && signals::check().is_ok();
            if failed && restores {
                break;
            }
        }
        report.rolled_back = pending.rolled_back;
        // A rollback is not left half done.
        let _clean_up = (failed && restores).then(signals::clean_up);
        match undoable {
            Ok(Some(undone)) if failed => {
                let (told, untold) = all.split_at_checked(told).unwrap_or((&all, &[]));
                // What an earlier run put in place stays, and who has not been told of it yet is told by the next run.
                let is_whole = pending.generation == undone;
                let untold: Vec<String> = untold.iter().filter(|_| !is_whole).flat_map(Deploy::ids).collect();
                left.entries = told.iter().flat_map(Deploy::ids).chain(untold.iter().cloned()).collect();
                left.rolled_back = is_whole;
                // The old files are new once more.
                let mark = format!("{}-restored", run.own);
                left.mark.clone_from(&mark);
                match roll_back(self.tree, self.now, &undone, &left, locked) {
                    Ok(()) => {
                        report.rolled_back = true;
                        left.entries = untold;
                        let run = Run { mark: &mark, ..run };
                        for deploy in told {
                            self.tell(deploy, &run, report, &mut left);
                        }
                    }
                    Err(error) => {
                        // The components after the one that failed have not been notified.
                        left = pending.clone();
                        report.warnings.push(not_restored(self.tree, &undone, &error));
                    }
                }
            }
            Ok(None) if failed && is_asked && of_step => report.warnings.push(step_stays(self.tree)),
            Ok(None) if failed && wants => report.warnings.push(
                "onHookFailure: restore has nothing to restore: this run replaced no files; the new files stay, and the next \
                 run repeats the notifications"
                    .to_owned(),
            ),
            Err(error) if failed => report.warnings.push(not_restored(self.tree, generation, &error)),
            _ => {}
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

    fn deploys<'p>(&self, profile: &'p Profile) -> Vec<Deploy<'p>> {
        let runs = |component: &str| self.node.is_none_or(|node| plan::runs(profile, node, component));
        deploys::of(&self.changed, &profile.renewal, profile, runs)
    }

    fn renewal(&self) -> Option<&Renewal> {
        self.profile.map(|profile| &profile.renewal)
    }

    /// Runs one deploy hook; the entries of one that fails are left.
    fn tell(&self, deploy: &Deploy<'_>, run: &Run<'_>, report: &mut Notified, left: &mut PendingNotifications) -> bool {
        let ran = match deploy.hook {
            DeployHook::Run(command) => self.deploy(deploy, command, run.generation),
            DeployHook::StaticPod { wait } => self.restart(deploy, *wait, run),
        };
        let succeeded = ran.succeeded;
        if !succeeded {
            let new: Vec<String> = deploy.ids().filter(|id| !left.entries.contains(id)).collect();
            left.entries.extend(new);
        }
        report.hooks.push(ran);
        succeeded
    }

    fn restart(&self, deploy: &Deploy<'_>, wait: Span, run: &Run<'_>) -> Hook {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = self.renewal().map_or(wait, |renewal| renewal.hooks.timeout);
        let (tree, now, Run { locked, mark, own, .. }) = (self.tree, self.now, *run);
        let began = Instant::now();
        let done = static_pod::restart(&Restart { tree, locked, now, deploy, mark, generation: own, wait, limit });
        let succeeded = done.is_ok();
        let (ended, output) = match done {
            Ok((ended, output)) => (ended, output),
            Err(error) => (error.to_string(), String::new()),
        };
        let (node, component) = (deploy.node.clone(), Some(deploy.component.clone()));
        let (name, command, seconds) = ("deploy".to_owned(), "static-pod".to_owned(), began.elapsed().as_secs());
        Hook { name, node, component, command, succeeded, ended, seconds, output }
    }

    fn deploy(&self, deploy: &Deploy<'_>, command: &Command, generation: &str) -> Hook {
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
            ..self.run("deploy", command, &more)
        }
    }

    fn run(&self, name: &'static str, command: &Command, more: &[(&'static str, String)]) -> Hook {
        let profile = self.profile;
        let main = &self.tree.roots.main;
        let directory = std::path::absolute(main).unwrap_or_else(|_| main.clone());
        let ids: Vec<String> = self.changed.iter().map(EntryId::to_string).collect();
        let mut variables = vec![
            ("KPKI_HOOK", name.to_owned()),
            ("KPKI_DIR", directory.display().to_string()),
            ("KPKI_CLUSTER", profile.map(|profile| profile.cluster_name.clone()).unwrap_or_default()),
            ("KPKI_TIME", rfc3339(self.now)),
            ("KPKI_ENTRIES", ids.join(" ")),
        ];
        for (key, value) in more {
            variables.retain(|(known, _)| known != key);
            variables.push((key, value.clone()));
        }
        let hook = |succeeded, ended, seconds, output| Hook {
            name: name.to_owned(),
            node: None,
            component: None,
            command: deploys::short_name(command),
            succeeded,
            ended,
            seconds,
            output,
        };
        // Of a run that was interrupted, or of a file that the pre hook has changed.
        if let Err(why) = trust::check(self.inherited, command) {
            return hook(false, format!("not run: {}", why.what), 0, String::new());
        }
        let timeout = self.renewal().map_or(0, |renewal| renewal.hooks.timeout.as_seconds());
        // The hooks of different trees do not run at the same time.
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let outcome = programs::run(&Call {
            command,
            inherited: self.inherited,
            variables: &variables,
            timeout: Duration::from_secs(timeout),
        });
        let ended = crate::error::ended(&outcome.ended, timeout);
        hook(outcome.ended == Ended::Success, ended, began.elapsed().as_secs(), outcome.output)
    }
}
