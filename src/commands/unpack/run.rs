//! Read and judge the archive; compare, refuse; under the lock compare again, commit, notify; make the receipt.

use super::contents::Contents;
use super::evaluate::Evaluation;
use super::place::Home;
use super::request::Request;
use super::{contents, identity, kubelet, merge, summary, verified};
use crate::clock::rfc3339;
use crate::error::Error;
use crate::profile::Profile;
use crate::report::restart::still_to_restart;
use crate::report::unpack::Unpack;
use crate::store;
use crate::tree::EntryId;
use crate::workspace::notify::{self, Notifier};
use crate::workspace::pending::PendingNotifications;
use crate::workspace::shipping::collect::{Collect, UNPACK, collect};
use crate::workspace::shipping::receipt::Receipt;
use crate::workspace::shipping::unpacked::Unpacked;
use crate::workspace::{Locked, Transaction};
use std::path::Path;

/// What was done.
#[derive(Debug)]
pub struct Done {
    pub report: Unpack,
    /// `None`: `--dry-run`, or it could not be made, which is a warning.
    pub receipt: Option<Receipt>,
}

/// One run.
struct Unpacking<'a> {
    request: &'a Request,
    contents: &'a Contents,
    home: Home,
}

/// Puts the archive's files in place.
pub fn run(request: &Request) -> Result<Done, Error> {
    let contents = Contents::read(request)?;
    let recorded = identity::recorded(request)?;
    identity::check(request, &contents, recorded.as_ref())?;
    let merged = merge::merge(request, &contents, recorded.as_ref())?;
    let home = Home::of(request, &contents, recorded.as_ref(), merged.profile.as_ref())?;
    let mut whys = home.misplaced(&contents);
    // A recorded profile says nothing about the archive.
    let profile = merged.profile.as_ref().filter(|_| merged.state.is_some());
    whys.extend(verified::flaws(&contents, profile, request));
    whys.extend(kubelet::flaw(&contents, &home));
    if !whys.is_empty() {
        return Err(contents::refused(request, whys));
    }
    Unpacking { request, contents: &contents, home }.run()
}

impl Unpacking<'_> {
    fn run(&self) -> Result<Done, Error> {
        let (tree, dry_run) = (&self.home.tree, self.request.run.dry_run);
        if dry_run || !tree.is_interrupted()? {
            let evaluation = tree.or_interrupted(self.evaluate())?;
            store::check_writable(&tree.roots, &evaluation.places())?;
            let is_done = evaluation.is_idle() && PendingNotifications::read(&tree.roots)?.is_empty();
            if dry_run || is_done {
                let mut report = summary::report(self.request, &self.home, self.contents, &evaluation);
                report.warnings.extend(tree.left_by_interrupted()?);
                return Ok(self.done(report, evaluation.merged.profile.as_ref()));
            }
        }
        let locked = tree.lock_or_create(self.request.run.lock_wait)?;
        let first = self.evaluate()?;
        let pending = PendingNotifications::read(&tree.roots)?;
        store::check_writable(&tree.roots, &first.places())?;
        let profile = first.merged.profile.clone();
        let changed: Vec<EntryId> = first.entries().iter().map(|name| EntryId::new(None, name)).collect();
        let before = self.notifier(profile.as_ref(), changed);
        let hooks = Some(&before).filter(|one| !one.changed.is_empty());
        let change = |evaluation: Evaluation<'_>| self.replace(&evaluation, pending, &locked);
        let ((mut report, pending), pre) = notify::around(hooks, first, || self.evaluate(), change)?;
        report.hooks.extend(pre);
        self.notify(profile.as_ref(), &pending, &mut report, &locked);
        Ok(self.done(report, profile.as_ref()))
    }

    fn evaluate(&self) -> Result<Evaluation<'_>, Error> {
        Evaluation::of(self.request, &self.home, self.contents)
    }

    /// One transaction; the notifications that are due are part of it.
    fn replace(
        &self,
        evaluation: &Evaluation<'_>,
        pending: PendingNotifications,
        locked: &Locked<'_>,
    ) -> Result<(Unpack, PendingNotifications), Error> {
        let mut report = summary::report(self.request, &self.home, self.contents, evaluation);
        if evaluation.is_idle() {
            return Ok((report, pending));
        }
        let now = self.request.run.now;
        let entries = evaluation.entries();
        let generation = locked.generation_name(UNPACK, now)?;
        let pending = if entries.is_empty() { pending } else { pending.and(&generation, entries.iter().cloned()) };
        let kept = evaluation.changes_files().then_some(generation);
        let issue = self.contents.manifest.issue.clone();
        let mut changes = evaluation.changes();
        changes.push(Unpacked { time: rfc3339(now), generation: kept, issue }.change()?);
        changes.extend((!pending.is_empty()).then(|| pending.change()).transpose()?);
        let transaction = Transaction {
            changes,
            journal: summary::journal(evaluation, now),
            entries: evaluation.changes_files().then_some(entries),
            ..Transaction::default()
        };
        report.generation = locked.commit(UNPACK, now, transaction)?;
        Ok((report, pending))
    }

    /// Runs the hooks, of this run and of an interrupted one.
    fn notify(
        &self,
        profile: Option<&Profile>,
        pending: &PendingNotifications,
        report: &mut Unpack,
        locked: &Locked<'_>,
    ) {
        if pending.is_empty() {
            return;
        }
        let changed: Vec<EntryId> = pending.entries.iter().map(|name| EntryId::new(None, name)).collect();
        report.set_finished(&pending.entries);
        report.restart = summary::restart(self.contents, profile, changed.iter().cloned());
        let notified = self.notifier(profile, changed).notify(pending, report.generation.as_deref(), locked);
        report.hooks.extend(notified.hooks);
        report.warnings.extend(notified.warnings);
        report.rolled_back = notified.rolled_back;
        report.restart = still_to_restart(std::mem::take(&mut report.restart), &report.hooks);
        if notified.rolled_back {
            report.restart.clear();
        }
    }

    fn notifier<'n>(&'n self, profile: Option<&'n Profile>, changed: Vec<EntryId>) -> Notifier<'n> {
        Notifier {
            tree: &self.home.tree,
            profile: profile.filter(|_| !self.request.no_hooks),
            inherited: &self.request.inherited,
            now: self.request.run.now,
            changed,
            node: Some(&self.contents.manifest.node),
        }
    }

    /// With the receipt: the files are in place, whatever becomes of it.
    fn done(&self, mut report: Unpack, profile: Option<&Profile>) -> Done {
        if report.dry_run {
            return Done { report, receipt: None };
        }
        let collected = collect(&Collect {
            dir: &self.request.dir,
            node: &self.contents.manifest.node,
            profile,
            now: self.request.run.now,
            proc: Path::new("/proc"),
        });
        match collected {
            Ok(receipt) => Done { report, receipt: Some(receipt) },
            Err(why) => {
                report.warnings.push(format!("the receipt could not be made: {why}"));
                Done { report, receipt: None }
            }
        }
    }
}
