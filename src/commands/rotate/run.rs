//! One step: look, decide, refuse; under the lock decide again, make everything in memory, commit, notify.

use super::context::Context;
use super::make::Following;
use super::ready::Ready;
use super::request::{Request, Step};
use super::{
    back, cross, emergency, forget, instructions, manifests, prepare, record as recorded, retire, summary, switch,
};
use crate::error::Error;
use crate::report::restart::still_to_restart;
use crate::report::rotate::Done;
use crate::store;
use crate::tree::EntryId;
use crate::tree::Issuers;
use crate::workspace::notify::{self, Notifier};
use crate::workspace::pending::PendingNotifications;
use crate::workspace::rotation::change;
use crate::workspace::rotation::lists;
use crate::workspace::rotation::{prior, record};
use crate::workspace::{Absent, Locked, Progress, Session, Snapshot, Transaction, journal, reissue, targets};

/// Carries out a step.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<Done, Error> {
    let (target, warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    let mut done = Rotating { request, session: &session }.run(progress)?;
    done.warnings.extend(warnings);
    Ok(done)
}

struct Rotating<'a> {
    request: &'a Request,
    session: &'a Session<'a>,
}

impl Rotating<'_> {
    fn run(&self, progress: Progress<'_>) -> Result<Done, Error> {
        let (tree, run) = (&self.session.tree, &self.request.run);
        if run.dry_run {
            let snapshot = tree.or_interrupted(tree.peek(self.places()?.iter()))?;
            let ready = tree.or_interrupted(self.ready(snapshot, None))?;
            store::check_writable(&tree.roots, &ready.places()?)?;
            let mut done = summary::done(self.request, self.session, &ready.planned, &ready.following, &ready.ids());
            instructions::add(&mut done, self.request, self.session, &ready.planned, &ready.snapshot)?;
            done.warnings.extend(tree.left_by_interrupted()?);
            return Ok(done);
        }
        self.ask()?;
        let locked = self.session.lock()?;
        let first = self.read(&locked)?;
        let pending = PendingNotifications::read(&tree.roots)?;
        store::check_writable(&tree.roots, &first.places()?)?;
        let before = self.notifier(first.ids());
        let hooks = Some(&before).filter(|one| !one.changed.is_empty());
        let change = |ready| self.replace(ready, pending, &locked, progress);
        let ((mut done, pending), pre) = notify::around(hooks, first, || self.read(&locked), change)?;
        done.hooks.extend(pre);
        self.notify(&pending, &mut done, &locked);
        Ok(done)
    }

    /// Asks for the passphrases of the keys that the step opens, before the lock. A step that is refused, or has nothing to do, asks
    /// for none.
    fn ask(&self) -> Result<(), Error> {
        let tree = &self.session.tree;
        tree.recover(self.request.run.lock_wait)?;
        let opened = self.request.opened(&record::read(&tree.roots)?);
        if !tree.is_asked(&opened)? {
            return Ok(());
        }
        let snapshot = tree.peek(self.places()?.iter())?;
        match self.ready(snapshot, None)?.planned.is_idle() {
            true => Ok(()),
            false => tree.ask_passphrases(&opened),
        }
    }

    fn places(&self) -> Result<Vec<crate::tree::Place>, Error> {
        change::all_places(self.session)
    }

    fn read(&self, locked: &Locked<'_>) -> Result<Ready, Error> {
        let (snapshot, _) = locked.read(self.places()?.iter())?;
        self.ready(snapshot, Some(locked))
    }

    /// `locked`: keys and certificates of authorities are made.
    fn ready(&self, snapshot: Snapshot, locked: Option<&Locked<'_>>) -> Result<Ready, Error> {
        let (session, request) = (self.session, self.request);
        let context = Context::of(request, session, snapshot, locked)?;
        let mut planned = match &request.step {
            Step::Prepare(options) => prepare::plan(&context, options)?,
            Step::Switch(options) => switch::plan(&context, options)?,
            Step::Retire(options) => retire::plan(&context, options)?,
            Step::Back(options) => back::plan(&context, options)?,
            Step::Forget => forget::plan(&context)?,
            Step::Emergency(options) => emergency::plan(&context, options)?,
            Step::Record(options) => recorded::plan(&context, options)?,
        };
        let mut authorities = change::authorities(session, &context.snapshot, &planned.targets, &planned.missing)?;
        let mut survey = std::mem::take(&mut authorities.survey);
        prior::place(&planned.put_back, &mut survey);
        session.tree.keys.learn(&planned.record);
        let (snapshot, issuers) = match locked {
            Some(locked) => locked.with(survey)?,
            None => (session.tree.with(survey), Issuers::default()),
        };
        let now = (request.step.command(), request.run.now);
        let mut lists = lists::of(session, &context.snapshot, &planned.targets, locked.map(|_| &issuers), now)?;
        planned.warnings.append(&mut lists.warnings);
        planned.left.append(&mut lists.left);
        let following = match planned.targets.is_empty() || request.step.leaves_the_tree() {
            true => Following::default(),
            false => Following::of(session, &context.snapshot, &snapshot, &planned)?,
        };
        Ok(Ready { planned, authorities, snapshot, issuers, following, lists })
    }

    fn replace(
        &self,
        ready: Ready,
        pending: PendingNotifications,
        locked: &Locked<'_>,
        progress: Progress<'_>,
    ) -> Result<(Done, PendingNotifications), Error> {
        let (session, run, command) = (self.session, &self.request.run, self.request.step.command());
        let ids = ready.ids();
        let mut done = summary::done(self.request, session, &ready.planned, &ready.following, &ids);
        instructions::add(&mut done, self.request, session, &ready.planned, &ready.snapshot)?;
        let Ready { planned, authorities, snapshot, issuers, following, lists } = ready;
        if planned.is_idle() {
            return Ok((done, pending));
        }
        let following = following.with_chains(&cross::certificates(&planned.cross, locked, run.now)?);
        let mut made = reissue::make(run, following.decided(), &snapshot.survey, &issuers, progress)?;
        made.extend(planned.given);
        let rewritten = reissue::rewritten(&following.repairs, &snapshot)?;
        let ids: Vec<String> = ids.iter().map(EntryId::to_string).collect();
        let pending = pending.and(&locked.generation_name(command, run.now)?, ids.iter().cloned());
        let lines = made.iter().map(|made| journal::line(command, &made.id.to_string(), &made.certificate, run.now));
        let lines = planned.journal.into_iter().chain(lines).chain(lists.journal).collect();
        summary::add_dates(&mut done, &made);
        let put_back: Vec<_> =
            following.put_back(&planned.put_back).map(prior::Prior::change).collect::<Result<_, _>>()?;
        let mut removals = planned.removals;
        removals.extend(authorities.removals);
        let mut own = planned.own;
        own.extend(instructions::file(&done)?);
        if planned.record.is_empty() {
            removals.push(record::path()?);
        } else {
            own.push(record::change(&planned.record)?);
        }
        // What signs follows what trusts it: ca-signer.crt and the bundles come first.
        let changes = rewritten.into_iter().chain(planned.signing).chain(authorities.changes).chain(lists.changes);
        let changes = changes.chain(made.into_iter().flat_map(|made| made.changes)).chain(put_back).chain(own);
        let changes = changes.chain((!pending.is_empty()).then(|| pending.change()).transpose()?);
        let changed: Vec<_> = done.authorities.iter().map(|row| row.authority).collect();
        let outer = manifests::files(self.request, session, &changed, &snapshot)?;
        done.manifests = outer.iter().map(|file| file.path.display().to_string()).collect();
        let outer = outer.into_iter().chain(planned.outer).collect();
        let transaction = Transaction {
            changes: changes.collect(),
            removals,
            outer,
            erasures: planned.erasures,
            forgets: false,
            journal: lines,
            entries: (!self.request.step.leaves_the_tree()).then_some(ids),
        };
        done.generation = locked.commit(command, run.now, transaction)?;
        Ok((done, pending))
    }

    /// Runs the hooks, of this run and of an interrupted one.
    fn notify(&self, pending: &PendingNotifications, done: &mut Done, locked: &Locked<'_>) {
        if pending.is_empty() {
            return;
        }
        let notified =
            self.notifier(pending.known(&self.session.credentials)).notify(pending, done.generation.as_deref(), locked);
        done.hooks.extend(notified.hooks);
        done.warnings.extend(notified.warnings);
        done.rolled_back = notified.rolled_back;
        done.restart = still_to_restart(std::mem::take(&mut done.restart), &done.hooks);
    }

    fn notifier(&self, changed: Vec<EntryId>) -> Notifier<'_> {
        let options = &self.request.options;
        Notifier {
            tree: &self.session.tree,
            profile: self.session.profile().filter(|_| !options.no_hooks),
            inherited: &options.inherited,
            now: self.request.run.now,
            changed,
            node: None,
        }
    }
}
