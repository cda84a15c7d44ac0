//! Evaluate, refuse; under the lock evaluate again, sign in memory, commit, notify.

use super::evaluate::Evaluation;
use super::renewing::Renewing;
use super::request::Request;
use super::{make, summary};
use crate::error::Error;
use crate::report::renew as report;
use crate::report::restart::still_to_restart;
use crate::store;
use crate::tree::{EntryId, Issuers};
use crate::workspace::notify::{self, Notifier};
use crate::workspace::pending::PendingNotifications;
use crate::workspace::{Absent, Locked, Progress, Session, Transaction, journal, targets};

/// Renews the authorities of one tree.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(report::Renew, Vec<String>), Error> {
    let targets::Resolved { targets, warnings } = targets::resolve(&request.trees, request.run.threads)?;
    let [target] = targets.as_slice() else {
        return Err(Error::usage("the authorities of several clusters are not renewed in one run")
            .hint("name one tree with --dir, or one profile with --profile"));
    };
    let session = Session::open(&request.trees, &request.run, target, Absent::Refused)?;
    session.refuse_node("authorities")?;
    let renewing = Renewing { request, session };
    let tree = attempt(&renewing, progress)?;
    Ok((report::Renew::new(request.run.dry_run, vec![tree]), warnings))
}

fn attempt(renewing: &Renewing<'_>, progress: Progress<'_>) -> Result<report::Tree, Error> {
    let (session, run) = (&renewing.session, renewing.request.run.clone());
    let tree = &session.tree;
    if !run.dry_run {
        tree.recover(run.lock_wait)?;
    }
    // What is refused needs no lock, and no key.
    let evaluation = tree.or_interrupted(renewing.evaluate(session.peek()?))?;
    if run.dry_run {
        store::check_writable(&tree.roots, &evaluation.places()?)?;
        let requests = make::requests(renewing, &evaluation, None, progress)?;
        let mut report = summary::report(renewing, &evaluation, &[], &requests);
        report.warnings.extend(tree.left_by_interrupted()?);
        return Ok(report);
    }
    let locked = session.lock_to_sign(evaluation.signers())?;
    let (snapshot, issuers) = session.read(&locked)?;
    let evaluation = renewing.evaluate(snapshot)?;
    let pending = PendingNotifications::read(&tree.roots)?;
    store::check_writable(&tree.roots, &evaluation.places()?)?;
    let hooks = (!evaluation.renewed.is_empty()).then(|| renewing.notifier(summary::ids(&evaluation)));
    let again = || {
        let (snapshot, issuers) = session.read(&locked)?;
        Ok((renewing.evaluate(snapshot)?, issuers))
    };
    let change = |(now, issuers)| renewing.replace(&now, &issuers, pending, &locked, progress);
    let ((mut report, pending), pre) = notify::around(hooks.as_ref(), (evaluation, issuers), again, change)?;
    report.hooks.extend(pre);
    renewing.notify(pending, &mut report, &locked);
    Ok(report)
}

impl Renewing<'_> {
    /// Everything in memory, then one transaction: certificates, kubeconfigs, requests, journal, and the notifications that are due.
    fn replace(
        &self,
        evaluation: &Evaluation,
        issuers: &Issuers,
        pending: PendingNotifications,
        locked: &Locked<'_>,
        progress: Progress<'_>,
    ) -> Result<(report::Tree, PendingNotifications), Error> {
        let now = self.session.run.now;
        let new = make::certificates(evaluation, issuers)?;
        let requests = make::requests(self, evaluation, Some(issuers), progress)?;
        let mut report = summary::report(self, evaluation, &new, &requests);
        let ids: Vec<String> = summary::ids(evaluation).iter().map(EntryId::to_string).collect();
        let pending = pending.and(&locked.generation_name("renew", now)?, ids.iter().cloned());
        let line = |(renewed, new): (&super::evaluate::Renewed, _)| {
            journal::authority_line("renew", renewed.authority.name(), (Some(&renewed.old), new), now)
        };
        let mut changes = make::changes(evaluation, &new)?;
        changes.extend(make::record(self, evaluation, &new)?);
        changes.extend(requests.into_iter().flat_map(|made| made.changes));
        if changes.is_empty() {
            return Ok((report, pending));
        }
        changes.extend((!pending.is_empty()).then(|| pending.change()).transpose()?);
        let transaction = Transaction {
            changes,
            journal: evaluation.renewed.iter().zip(&new).map(line).collect(),
            // Requests alone change no file in use.
            entries: (!ids.is_empty()).then_some(ids),
            ..Transaction::default()
        };
        report.generation = locked.commit("renew", now, transaction)?;
        Ok((report, pending))
    }

    fn notify(&self, pending: PendingNotifications, report: &mut report::Tree, locked: &Locked<'_>) {
        if pending.is_empty() {
            return;
        }
        let known = pending.known(&self.session.credentials);
        let made: Vec<&EntryId> = report.entries.iter().filter(|one| one.is_made()).map(|one| &one.id).collect();
        report.finished = known.iter().filter(|id| !made.contains(id)).map(EntryId::to_string).collect();
        let notified = self.notifier(known).notify(&pending, report.generation.as_deref(), locked);
        report.hooks.extend(notified.hooks);
        report.warnings.extend(notified.warnings);
        report.rolled_back = notified.rolled_back;
        report.restart = still_to_restart(std::mem::take(&mut report.restart), &report.hooks);
        if notified.rolled_back {
            report.restart.clear();
            report.afterwards.clear();
        }
    }

    fn notifier(&self, changed: Vec<EntryId>) -> Notifier<'_> {
        Notifier {
            tree: &self.session.tree,
            profile: self.session.profile().filter(|_| !self.request.no_hooks),
            inherited: &self.request.inherited,
            now: self.session.run.now,
            changed,
            node: None,
        }
    }
}
