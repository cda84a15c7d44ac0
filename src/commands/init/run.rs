//! Resolve, evaluate, refuse, make in memory, commit, report.

use super::bootstrap;
use super::evaluate::{self, Evaluation};
use super::issued;
use super::keys::{self, OutsideKey};
use super::request::Request;
use super::resolve::{self, Resolved};
use super::{job, make, summary};
use crate::error::Error;
use crate::plan::init as plan;
use crate::plan::item::{self, Item};
use crate::report;
use crate::store::{self, StoreError};
use crate::tree::Issuers;
use crate::workspace::issuing::Issued;
use crate::workspace::rotation::state;
use crate::workspace::{Locked, Progress, Transaction, journal};
use time::OffsetDateTime;

/// Makes the tree.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<report::Init, Error> {
    match attempt(request, progress)? {
        Attempt::Done(report) => Ok(*report),
        // Two concurrent first runs have no common lock: the second one reads again, and finds the complete tree.
        Attempt::Raced(_) => match attempt(request, progress)? {
            Attempt::Done(report) => Ok(*report),
            Attempt::Raced(why) => Err(why.into()),
        },
    }
}

enum Attempt {
    Done(Box<report::Init>),
    /// Another run changed the directory after it was read.
    Raced(StoreError),
}

fn attempt(request: &Request, progress: Progress<'_>) -> Result<Attempt, Error> {
    let resolved = resolve::resolve(request)?;
    let target = issued::target(request, &resolved);
    let session = issued::session(request, &resolved, &target)?;
    let (tree, run) = (&resolved.tree, &request.run);
    let manifests = bootstrap::manifests(request, &resolved.loaded.profile)?;
    let done = |mut report: report::Init| {
        if let (Some(path), Some(text), false) = (&request.bootstrap_manifests, &manifests, run.dry_run) {
            bootstrap::write(path, text)?;
            report.bootstrap_manifests = Some(path.display().to_string());
        }
        Ok(Attempt::Done(Box::new(report)))
    };
    if !run.dry_run {
        tree.recover(run.lock_wait)?;
    }
    // The first read takes no lock: a tree with nothing to do may be read-only.
    let snapshot = tree.peek(plan::places(&resolved.items))?;
    tree.or_interrupted(state::settled_in(tree, run.now))?;
    let evaluation = tree.or_interrupted(evaluate::evaluate(request, &resolved, snapshot))?;
    if run.dry_run {
        let check = if request.only_planned { store::check_in_the_way } else { store::check_writable };
        check(&tree.roots, &evaluation.places(&resolved.items)?)?;
        let mut report = summary::report(request, &resolved, &evaluation, report::Outcome::Planned)?;
        issued::plan(&mut report.items, &session, &resolved, &evaluation);
        report.warnings.extend(tree.left_by_interrupted()?);
        return done(report);
    }
    let asks = issued::asks(&session, &resolved, &evaluation);
    if !asks && evaluation.is_unchanged(&resolved)? {
        return done(summary::report(request, &resolved, &evaluation, report::Outcome::Unchanged)?);
    }
    let signers = keys::signers(&resolved.items, &evaluation.decided);
    tree.ask_passphrases(&signers)?;
    let locked = if asks { tree.lock_made(run.lock_wait)? } else { tree.lock_or_create(run.lock_wait)? };
    let locked = locked.signing(signers);
    // The tree is locked now: read it again and decide on that.
    let (snapshot, issuers) = locked.read(plan::places(&resolved.items))?;
    state::settled_in(tree, run.now)?;
    let evaluation = evaluate::evaluate(request, &resolved, snapshot)?;
    let issued = issued::ask(&session, &resolved, &evaluation, &locked, progress)?;
    if issued.placed.is_empty() && evaluation.is_unchanged(&resolved)? {
        let mut report = summary::report(request, &resolved, &evaluation, report::Outcome::Unchanged)?;
        issued::describe(&mut report, &issued);
        return done(report);
    }
    match store::check_writable(&tree.roots, &evaluation.places(&resolved.items)?) {
        Err(raced @ StoreError::Exist(_)) => return Ok(Attempt::Raced(raced)),
        checked => checked?,
    }
    let mut decided = Some((evaluation, issuers));
    let (mut report, made) = locked.without_failed_signers(|| {
        let again = || {
            let (snapshot, issuers) = locked.read(plan::places(&resolved.items))?;
            Ok::<_, Error>((evaluate::evaluate(request, &resolved, snapshot)?, issuers))
        };
        let (evaluation, issuers) = decided.take().map_or_else(again, Ok)?;
        let outcome = match evaluation.outcome() {
            report::Outcome::Unchanged if !issued.placed.is_empty() => report::Outcome::Completed,
            outcome => outcome,
        };
        let mut report = summary::report(request, &resolved, &evaluation, outcome)?;
        issued::describe(&mut report, &issued);
        let making = Making { request, resolved: &resolved, evaluation, issued: &issued, locked: &locked };
        let made = making.commit(issuers, &mut report, &mut *progress)?;
        Ok((report, made))
    })?;
    match made {
        Err(raced) => Ok(Attempt::Raced(raced)),
        Ok(committed) => {
            let replaces = report.items.iter().any(|item| item.action == "replace");
            report.generation = committed.filter(|_| replaces);
            done(report)
        }
    }
}

/// Another run was faster.
const fn is_raced(why: &StoreError) -> bool {
    matches!(why, StoreError::Exist(_) | StoreError::MadeMeanwhile(_) | StoreError::ChangedMeanwhile(_))
}

struct Making<'a> {
    request: &'a Request,
    resolved: &'a Resolved,
    evaluation: Evaluation,
    issued: &'a Issued,
    locked: &'a Locked<'a>,
}

impl Making<'_> {
    /// Makes everything in memory, and commits it.
    fn commit(
        self,
        issuers: Issuers,
        report: &mut report::Init,
        progress: Progress<'_>,
    ) -> Result<Result<Option<String>, StoreError>, Error> {
        let (items, run) = (&self.resolved.items, &self.request.run);
        let issued = self.issued;
        let left = issued::left(self.resolved, &self.evaluation).only(|id| !issued.has(id));
        let requests = left.make(run.threads, progress)?;
        let Evaluation { snapshot, decided, .. } = self.evaluation;
        let signers = make::Signers { fresh: keys::fresh(self.resolved, &decided, &snapshot.authorities)?, issuers };
        let mut made = make::make(items, decided, &snapshot.survey, signers, run, progress)?;
        summary::add_made(&mut report.items, &made);
        let outside: Vec<OutsideKey> = made.iter_mut().filter_map(|made| made.outside.take()).collect();
        let (mut lines, mut entries) = remembered(items, &made, run.now);
        for (id, certificate) in issued.certificates() {
            lines.push(journal::line("init", &id.to_string(), certificate, run.now));
            entries.push(id.to_string());
        }
        let files = made.into_iter().flat_map(|made| made.files).map(job::File::change);
        let mut changes = files.collect::<Result<Vec<_>, _>>()?;
        changes.extend(issued.placed.iter().flat_map(|one| one.changes.iter().cloned()));
        changes.extend(requests.into_iter().flat_map(|made| made.changes));
        changes.extend(self.resolved.own_files.iter().cloned());
        let removals = issued.placed.iter().flat_map(|one| one.removals.iter().cloned()).collect();
        let transaction =
            Transaction { changes, removals, journal: lines, entries: Some(entries), ..Transaction::default() };
        let written = keys::write(&outside);
        match written.and_then(|()| self.locked.commit("init", run.now, transaction)) {
            Err(why) if !is_raced(&why) => Err(keys::left_behind(why.into(), &outside)),
            done => Ok(done),
        }
    }
}

/// A journal line for every certificate that was issued, and the entries for the history. A copy is not a certificate
/// of its own.
fn remembered(items: &[Item], made: &[job::Made], now: OffsetDateTime) -> (Vec<String>, Vec<String>) {
    let is_copy = |item: &Item| matches!(item.what, item::What::Copy { .. });
    let issued = items.iter().zip(made).filter(|(item, _)| !is_copy(item));
    let lines = issued
        .filter_map(|(item, made)| Some(journal::line("init", &item.id.to_string(), made.certificate.as_ref()?, now)));
    let written = items.iter().zip(made).filter(|(_, made)| !made.files.is_empty());
    (lines.collect(), written.map(|(item, _)| item.id.to_string()).collect())
}
