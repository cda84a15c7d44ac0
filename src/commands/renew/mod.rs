//! `kpki renew`: look, decide, refuse; under the lock look again, make everything in memory, publish, tell who must restart.

mod external;
mod hooks;
pub(in crate::commands) mod material;
mod pending;
mod summary;
pub(in crate::commands) mod tree;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use crate::commands::crl::update;
use crate::commands::crls::SignedCrlIssue;
use crate::commands::restarts::restarts;
use crate::commands::targets::{self, Target, TargetQuery};
use crate::commands::{Progress, journal, requests, survey};
use crate::error::Error;
use crate::files::RelPath;
use crate::parallel;
use crate::plan::renew::{Credential, Decision};
use crate::report::renew as report;
use crate::store::{self, Commit, Locking, RootId, TreeLock};
use external::External;
use hooks::Hooks;
use pending::PendingNotifications;
use tree::{Seen, Tree};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Empty: all.
    pub names: Vec<String>,
    pub dirs: Vec<PathBuf>,
    pub profiles: Vec<PathBuf>,
    pub fleet: Option<PathBuf>,
    pub kubelet_dir: Option<PathBuf>,
    pub node: Option<String>,
    pub hostname: Option<String>,
    /// Only what is due.
    pub due: bool,
    pub prune_sans: bool,
    pub reuse_key: bool,
    pub dry_run: bool,
    pub no_hooks: bool,
    /// What hooks get of this process's environment.
    pub inherited: Vec<(&'static str, OsString)>,
    /// The tree may not be there yet: its profile says what it will be.
    pub planned: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
    pub threads: usize,
}

impl Request {
    /// For a verb that looks at one tree and renews nothing.
    pub(in crate::commands) const fn looking(now: OffsetDateTime) -> Self {
        Self {
            names: Vec::new(),
            dirs: Vec::new(),
            profiles: Vec::new(),
            fleet: None,
            kubelet_dir: None,
            node: None,
            hostname: None,
            due: false,
            prune_sans: false,
            reuse_key: false,
            dry_run: false,
            no_hooks: true,
            inherited: Vec::new(),
            planned: true,
            now,
            lock_wait: Duration::ZERO,
            threads: 1,
        }
    }
}

/// Renews, or says exactly why not. With several trees one that fails does not stop the others.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(report::Renew, Vec<String>), Error> {
    let targets::Resolved { targets, warnings } = targets::resolve(&TargetQuery {
        paths: &request.dirs,
        profiles: &request.profiles,
        fleet: request.fleet.as_deref(),
        kubelet_dir: request.kubelet_dir.as_deref(),
        hostname: request.hostname.as_deref(),
    })?;
    let trees = match targets.as_slice() {
        [only] => vec![attempt(request, only, request.threads, progress)?],
        several => {
            let several = distinct(several);
            let one = |index: usize| {
                let target = *several.get(index)?;
                Some(attempt(request, target, 1, &mut |_, _| ()).unwrap_or_else(|error| failed(target, &error)))
            };
            parallel::map(several.len(), request.threads, one, |done| progress(done, several.len()))
                .map_err(|parallel::Died| Error::new("a thread ended before its work").hint("report this as a bug"))?
        }
    };
    Ok((report::Renew::new(request.dry_run, trees), warnings))
}

/// A tree that was named twice is one tree.
fn distinct(targets: &[Target]) -> Vec<&Target> {
    let mut seen = Vec::new();
    let mut distinct = Vec::new();
    for target in targets {
        let facts = survey::open(&target.root).ok().flatten().and_then(|dir| dir.own_facts().ok());
        let identity = facts.map(|facts| (facts.device, facts.inode));
        if identity.is_none() || !seen.contains(&identity) {
            seen.push(identity);
            distinct.push(target);
        }
    }
    distinct
}

/// A tree whose renewal failed, as a report has it.
pub fn failed_at(directory: String, error: &Error) -> report::Tree {
    report::Tree {
        directory,
        failure: Some(report::Failure { what: error.what.clone(), why: error.why.clone(), hints: error.hints.clone() }),
        ..report::Tree::default()
    }
}

fn failed(target: &Target, error: &Error) -> report::Tree {
    report::Tree {
        cluster: target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        ..failed_at(target.root.display().to_string(), error)
    }
}

fn attempt(request: &Request, target: &Target, threads: usize, progress: Progress<'_>) -> Result<report::Tree, Error> {
    let tree = Tree::open(request, target)?;
    // A tree with nothing to do needs no lock and may be read-only; what an interrupted run left is finished or removed first.
    if request.dry_run || !store::interrupted(&tree.roots)? {
        let seen = tree.look()?;
        if request.dry_run && !seen.is_idle() {
            store::check_writable(&tree.roots, &places(&tree, &seen)?)?;
        }
        let is_done =
            seen.is_idle() && External::of(&tree, &seen).is_there()? && PendingNotifications::read(&tree)?.is_empty();
        if request.dry_run || is_done {
            let mut report = shown(&tree, &seen, threads)?;
            if store::pending(&tree.roots)? {
                report.warnings.push(HALF_WAY.to_owned());
            }
            return Ok(report);
        }
    }
    let (hold, _) = TreeLock::acquire_and_recover(&tree.roots, request.lock_wait)?;
    let seen = tree.look()?;
    let pending = PendingNotifications::read(&tree)?;
    if seen.is_idle() && External::of(&tree, &seen).is_there()? {
        let mut report = shown(&tree, &seen, threads)?;
        tell(&tree, pending, &mut report, &hold);
        return Ok(report);
    }
    store::check_writable(&tree.roots, &places(&tree, &seen)?)?;
    // Requests alone touch nothing that is running.
    let before = (!seen.is_idle()).then(|| Hooks::of(&tree, renewed(&tree, &seen)));
    let pre = before.as_ref().map(Hooks::pre).transpose()?.flatten();
    // A hook may have changed what is there.
    let again = if pre.is_some() { tree.look() } else { Ok(seen) };
    let done = again.and_then(|seen| replace(&tree, &seen, pending, threads, &hold, progress));
    let (mut report, pending) = match done {
        Ok(done) => done,
        Err(error) => {
            if let (Some(hooks), true) = (before, pre.is_some()) {
                hooks.failed();
            }
            return Err(error);
        }
    };
    report.hooks.extend(pre);
    tell(&tree, pending, &mut report, &hold);
    Ok(report)
}

/// What a run that only looks says of a tree that is partly old and partly new.
const HALF_WAY: &str = "an interrupted run has still to be finished: what is shown is partly old and partly new; any run that may write finishes it";

/// Makes everything in memory and publishes it; what nobody has been told yet is part of the transaction.
fn replace(
    tree: &Tree<'_>,
    seen: &Seen,
    pending: PendingNotifications,
    threads: usize,
    hold: &TreeLock,
    progress: Progress<'_>,
) -> Result<(report::Tree, PendingNotifications), Error> {
    let now = tree.request.now;
    let external = External::of(tree, seen);
    let made = material::make(tree, seen, now, threads, progress)?;
    let waiting = external.make(threads, progress)?;
    let edited = update::sign(tree, &seen.survey, &seen.signers, seen.due_lists().into_iter(), false)?;
    let mut report = report(tree, seen, &made);
    external::tell(&mut report.entries, &waiting);
    report.lists = summary::lists(seen, &edited);
    let pending = pending.and(&journal::generation("renew", now), renewed(tree, seen).into_iter().map(Credential::id));
    report.generation = publish(tree, seen, made, waiting, edited, &pending, hold)?;
    Ok((report, pending))
}

fn renewed<'t>(tree: &'t Tree<'_>, seen: &Seen) -> Vec<&'t Credential> {
    let all = tree.credentials.iter().zip(&seen.decisions);
    all.filter(|(_, decision)| matches!(decision, Decision::Renew(_))).map(|(credential, _)| credential).collect()
}

/// Says who must restart, and runs the hooks: of this run, and of one that was interrupted before it came to that.
fn tell(tree: &Tree<'_>, pending: PendingNotifications, report: &mut report::Tree, hold: &TreeLock) {
    if pending.is_empty() {
        return;
    }
    let credentials = pending.credentials(tree);
    let now: Vec<String> = report.entries.iter().filter(|one| one.is_made()).map(report::RenewalEntry::id).collect();
    report.finished = credentials.iter().map(|one| one.id()).filter(|id| !now.contains(id)).collect();
    report.restart = restarts(credentials.iter().map(|one| (one.node.as_deref(), one.name.as_str())));
    let generation = report.generation.clone().unwrap_or_else(|| pending.generation.clone());
    let unnotified = Hooks::of(tree, credentials).after(report, &generation, hold);
    // The renewal is done; at the worst it is told twice.
    if let Err(error) = (PendingNotifications { generation, entries: unnotified }).keep(tree) {
        report.warnings.push(format!("the next run will tell this once more: {}", error.what));
    }
}

/// Nothing is to be written: what is, and where requests wait.
fn shown(tree: &Tree<'_>, seen: &Seen, threads: usize) -> Result<report::Tree, Error> {
    let mut report = report(tree, seen, &[]);
    let external = External::of(tree, seen);
    if external.is_there()? {
        external::tell(&mut report.entries, &external.make(threads, &mut |_, _| ())?);
    }
    Ok(report)
}

fn report(tree: &Tree<'_>, seen: &Seen, made: &[material::Made]) -> report::Tree {
    let entries = summary::entries(tree, seen, made);
    report::Tree {
        directory: tree.target.root.display().to_string(),
        cluster: tree.target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        restart: summary::restart(&entries),
        entries,
        lists: summary::lists(seen, &[]),
        warnings: summary::warnings(tree, seen),
        ..report::Tree::default()
    }
}

/// What is going to be written.
fn places(tree: &Tree<'_>, seen: &Seen) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
    let renewed = |(credential, decision): (&'_ Credential, &Decision)| match decision {
        Decision::Renew(_) => std::iter::once(&credential.public).chain(credential.private.as_ref()).cloned().collect(),
        _ => Vec::new(),
    };
    let places = tree.credentials.iter().zip(&seen.decisions).flat_map(renewed);
    places.map(|place| Ok((material::root(&place), RelPath::parse(place.path.as_str())?, true))).collect()
}

/// One transaction; the name under which the old files are kept.
fn publish(
    tree: &Tree<'_>,
    seen: &Seen,
    made: Vec<material::Made>,
    waiting: Vec<requests::Made>,
    edited: Vec<SignedCrlIssue>,
    pending: &PendingNotifications,
    hold: &TreeLock,
) -> Result<Option<String>, Error> {
    let id = |made: &material::Made| tree.credentials.get(made.index).map(Credential::id).unwrap_or_default();
    let now = tree.request.now;
    let mut journal: Vec<String> =
        made.iter().map(|made| journal::line("renew", &id(made), &made.certificate, now)).collect();
    journal.extend(update::lines("renew", &seen.signers, &edited, now));
    // Requests alone change nothing that is running: there is nothing to go back to.
    let note = (!made.is_empty() || !edited.is_empty())
        .then(|| journal::note("renew", &made.iter().map(id).collect::<Vec<_>>(), now));
    let receipt = store::publish(&Commit {
        roots: &tree.roots,
        changes: made
            .into_iter()
            .flat_map(|made| made.changes)
            .chain(waiting.into_iter().flat_map(|made| made.changes))
            .chain(edited.into_iter().flat_map(|one| one.changes))
            .chain((!pending.is_empty()).then(|| pending.change()).transpose()?)
            .collect(),
        removals: Vec::new(),
        journal,
        note,
        keep_generations: Some(tree.keep_generations()),
        dir_mode: 0o755,
        generation: &journal::generation("renew", now),
        locking: Locking::Held(hold),
    })?;
    Ok(receipt.generation)
}
