//! Evaluate, refuse; under the lock evaluate again, make everything in memory, commit, notify.

use super::evaluate::Evaluation;
use super::external::external;
use super::fleet::{distinct, failed};
use super::renewing::Renewing;
use super::request::Request;
use super::{lists, summary};
use crate::error::Error;
use crate::parallel;
use crate::plan::renew::Credential;
use crate::report::renew as report;
use crate::report::restart::{restarts, still_to_restart};
use crate::signals;
use crate::store;
use crate::tree::{EntryId, Issuers};
use crate::workspace::notify::{self, Notifier};
use crate::workspace::pending::PendingNotifications;
use crate::workspace::targets::{self, Target};
use crate::workspace::{Absent, Locked, Progress, RunArgs, Session, Transaction, crl_issue, journal, reissue};

/// Renews. A failure of one tree does not stop the others.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(report::Renew, Vec<String>), Error> {
    let targets::Resolved { targets, warnings } = targets::resolve(&request.trees, request.run.threads)?;
    let trees = match targets.as_slice() {
        [only] => vec![attempt(request, &request.run, only, progress)?],
        several => {
            let several = distinct(several);
            let alone = RunArgs { threads: 1, ..request.run.clone() };
            let one = |index: usize| {
                let target = *several.get(index)?;
                Some(attempt(request, &alone, target, &mut |_, _| ()).unwrap_or_else(|error| failed(target, &error)))
            };
            parallel::map(several.len(), request.run.threads, one, |done| progress(done, several.len()))?
        }
    };
    Ok((report::Renew::new(request.run.dry_run, trees), warnings))
}

fn attempt(request: &Request, run: &RunArgs, target: &Target, progress: Progress<'_>) -> Result<report::Tree, Error> {
    // Of several trees, those that were not begun are left as they are.
    signals::check()?;
    let session = Session::open(&request.trees, run, target, Absent::Refused)?;
    let credentials = session.select(&request.names)?;
    let renewing = Renewing { request, session, credentials };
    let tree = &renewing.session.tree;
    if !run.dry_run {
        tree.recover(run.lock_wait)?;
    }
    // A tree with nothing to do needs no lock and may be read-only.
    let evaluation = tree.or_interrupted(renewing.evaluate(renewing.session.peek()?))?;
    if run.dry_run && !evaluation.is_idle() {
        let check = if request.only_planned { store::check_in_the_way } else { store::check_writable };
        check(&tree.roots, &renewing.places(&evaluation)?)?;
    }
    let is_done = renewing.is_unchanged(&evaluation)? && !renewing.asks(&evaluation);
    let is_done = is_done && PendingNotifications::read(&tree.roots)?.is_empty();
    if run.dry_run || is_done {
        let mut report = renewing.unwritten(&evaluation)?;
        report.warnings.extend(tree.left_by_interrupted()?);
        return Ok(report);
    }
    let locked = renewing.session.lock_to_sign(evaluation.signers(&renewing.credentials))?;
    let (snapshot, issuers) = renewing.session.read(&locked)?;
    let evaluation = renewing.evaluate(snapshot)?;
    let pending = PendingNotifications::read(&tree.roots)?;
    let answers = renewing.ask(&evaluation, &locked, progress)?;
    let evaluation = renewing.with(evaluation, &answers)?;
    if renewing.is_unchanged(&evaluation)? {
        let mut report = renewing.unwritten(&evaluation)?;
        renewing.notify(pending, &mut report, &locked);
        return Ok(report);
    }
    store::check_writable(&tree.roots, &renewing.places(&evaluation)?)?;
    // Requests alone change no file in use.
    let ids = |all: Vec<&Credential>| all.into_iter().map(|one| one.id.clone()).collect();
    let before = (!evaluation.is_idle()).then(|| renewing.notifier(ids(evaluation.changed(&renewing.credentials))));
    let again = || {
        let (evaluation, issuers) = renewing.read(&locked)?;
        Ok((renewing.with(evaluation, &answers)?, issuers))
    };
    let change = |decided| {
        let mut decided = Some(decided);
        locked.without_failed_signers(|| {
            let (now, issuers) = decided.take().map_or_else(again, Ok)?;
            renewing.replace(&now, &issuers, pending.clone(), &locked, progress)
        })
    };
    let ((mut report, pending), pre) = notify::around(before.as_ref(), (evaluation, issuers), again, change)?;
    report.hooks.extend(pre);
    renewing.notify(pending, &mut report, &locked);
    Ok(report)
}

impl Renewing<'_> {
    fn read(&self, locked: &Locked<'_>) -> Result<(Evaluation, Issuers), Error> {
        let (snapshot, issuers) = self.session.read(locked)?;
        Ok((self.evaluate(snapshot)?, issuers))
    }

    /// Makes everything in memory and commits it; the notifications that are due are part of the transaction.
    fn replace(
        &self,
        evaluation: &Evaluation,
        issuers: &Issuers,
        pending: PendingNotifications,
        locked: &Locked<'_>,
        progress: Progress<'_>,
    ) -> Result<(report::Tree, PendingNotifications), Error> {
        let (session, now) = (&self.session, self.session.run.now);
        let external = external(self, evaluation);
        let decided = self.credentials.iter().zip(&evaluation.decisions);
        let made = reissue::make(session.run, decided, &evaluation.snapshot.survey, issuers, progress)?;
        let requests = external.make(session.run.threads, progress)?;
        let snapshot = &evaluation.snapshot;
        let repaired = reissue::rewritten(&evaluation.repairs, snapshot)?;
        let crls = crl_issue::reissue(session, snapshot, issuers, evaluation.due_crls().into_iter(), false)?;
        let mut report = summary::report(self, evaluation, &made);
        self.describe(&mut report.entries, evaluation, &requests);
        report.lists = lists::rows(evaluation, &crls);
        let issued = &evaluation.issued;
        let ids = made.iter().map(|made| &made.id).chain(evaluation.repairs.iter().map(|repair| &repair.id));
        let ids = ids.chain(issued.certificates().map(|(id, _)| id));
        let ids: Vec<String> = ids.map(EntryId::to_string).collect();
        let pending = pending.and(&locked.generation_name("renew", now)?, ids.iter().cloned());
        let signed = made.iter().map(|made| (&made.id, &made.certificate)).chain(issued.certificates());
        let lines = signed.map(|(id, certificate)| journal::line("renew", &id.to_string(), certificate, now));
        let lines = lines.chain(crls.iter().map(|crl| crl.line("renew", now))).collect();
        // Requests and a profile alone change no file in use, so that there is nothing to restore.
        let changes_tree = !ids.is_empty() || !crls.is_empty();
        let changes = made.into_iter().flat_map(|made| made.changes).chain(repaired);
        let changes = changes.chain(issued.placed.iter().flat_map(|one| one.changes.iter().cloned()));
        let changes = changes.chain(requests.into_iter().flat_map(|made| made.changes));
        let changes = changes.chain(crls.into_iter().flat_map(|crl| crl.changes));
        let changes = changes.chain(self.own_files(evaluation)?);
        let transaction = Transaction {
            changes: changes.chain((!pending.is_empty()).then(|| pending.change()).transpose()?).collect(),
            removals: issued.placed.iter().flat_map(|one| one.removals.iter().cloned()).collect(),
            journal: lines,
            entries: changes_tree.then_some(ids),
            ..Transaction::default()
        };
        report.generation = locked.commit("renew", now, transaction)?;
        Ok((report, pending))
    }

    /// Reports the restarts and runs the hooks, of this run and of an interrupted one.
    fn notify(&self, pending: PendingNotifications, report: &mut report::Tree, locked: &Locked<'_>) {
        if pending.is_empty() {
            return;
        }
        let known = pending.known(&self.session.credentials);
        let made: Vec<&EntryId> = report.entries.iter().filter(|one| one.is_made()).map(|one| &one.id).collect();
        report.finished = known.iter().filter(|id| !made.contains(id)).map(EntryId::to_string).collect();
        let of = |id: &EntryId| report.entries.iter().find(|one| one.is_made() && one.id == *id);
        let changed = |id: &EntryId| of(id).map_or_else(|| id.clone().into(), summary::changed);
        let restart = restarts(known.iter().map(changed), self.session.profile());
        let notified = self.notifier(known).notify(&pending, report.generation.as_deref(), locked);
        report.hooks.extend(notified.hooks);
        report.warnings.extend(notified.warnings);
        report.rolled_back = notified.rolled_back;
        report.restart = if notified.rolled_back { Vec::new() } else { still_to_restart(restart, &report.hooks) };
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

    /// Nothing is due, and every request exists already.
    fn is_unchanged(&self, evaluation: &Evaluation) -> Result<bool, Error> {
        let is_idle = evaluation.is_idle() && !self.records(evaluation);
        Ok(is_idle && external(self, evaluation).is_waiting()?)
    }

    /// The report of a run that writes nothing: existing credentials and requests.
    fn unwritten(&self, evaluation: &Evaluation) -> Result<report::Tree, Error> {
        let mut report = summary::report(self, evaluation, &[]);
        let external = external(self, evaluation);
        if external.is_waiting()? {
            let made = external.make(self.session.run.threads, &mut |_, _| ())?;
            self.describe(&mut report.entries, evaluation, &made);
        }
        Ok(report)
    }
}
