//! One step: look, decide, refuse; under the lock decide again, make everything in memory, commit, notify.

use super::context::{Context, Planned};
use super::make::Following;
use super::request::{Request, Step};
use super::{back, cross, instructions, prepare, retire, summary, switch};
use crate::error::Error;
use crate::files::RelPath;
use crate::report::rotate::Done;
use crate::store::{self, RootId};
use crate::tree::EntryId;
use crate::tree::Issuers;
use crate::workspace::notify::Notifier;
use crate::workspace::pending::PendingNotifications;
use crate::workspace::rotation::change::{self, Authorities};
use crate::workspace::rotation::lists::{self, Lists};
use crate::workspace::rotation::{record, state};
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

/// A step that is decided, with the tree as it will be.
struct Ready {
    planned: Planned,
    authorities: Authorities,
    snapshot: Snapshot,
    issuers: Issuers,
    following: Following,
    lists: Lists,
}

impl Ready {
    /// The entries with new files.
    fn ids(&self) -> Vec<EntryId> {
        let mut ids = self.authorities.ids.clone();
        let more = self.following.made().map(|one| &one.id).chain(self.following.repairs.iter().map(|one| &one.id));
        for id in more {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        ids
    }

    /// The files to write.
    fn places(&self) -> Result<Vec<(RootId, RelPath, bool)>, Error> {
        let changes = self.authorities.changes.iter().chain(&self.planned.own).chain(&self.lists.changes);
        let mut all: Vec<_> = changes.map(|one| (one.root, one.path.clone(), true)).collect();
        let made = self.following.made().flat_map(|one| one.places());
        for place in made.chain(self.following.repairs.iter().map(|one| &one.place)) {
            all.push((place.root_id(), RelPath::parse(place.path.as_str())?, true));
        }
        Ok(all)
    }
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
        let locked = self.session.lock()?;
        let first = self.read(&locked)?;
        let pending = PendingNotifications::read(&tree.roots)?;
        store::check_writable(&tree.roots, &first.places()?)?;
        let before = self.notifier(first.ids());
        let pre = if before.changed.is_empty() { None } else { before.pre()? };
        // A hook may have changed files.
        let current = if pre.is_some() { self.read(&locked) } else { Ok(first) };
        let done = current.and_then(|ready| self.replace(ready, pending, &locked, progress));
        let (mut done, pending) = done.inspect_err(|_| {
            if pre.is_some() {
                before.failed();
            }
        })?;
        done.hooks.extend(pre);
        self.notify(&pending, &mut done, &locked);
        Ok(done)
    }

    fn places(&self) -> Result<Vec<crate::tree::Place>, Error> {
        let mut places = self.session.places();
        places.extend(change::places(self.session)?);
        Ok(places)
    }

    fn read(&self, locked: &Locked<'_>) -> Result<Ready, Error> {
        let (snapshot, _) = locked.read(self.places()?.iter())?;
        self.ready(snapshot, Some(locked))
    }

    /// `locked`: keys and certificates of authorities are made.
    fn ready(&self, snapshot: Snapshot, locked: Option<&Locked<'_>>) -> Result<Ready, Error> {
        let (session, request) = (self.session, self.request);
        let name = |locked: &Locked<'_>| locked.generation_name(request.step.command(), request.run.now);
        let state = state::of(session, &snapshot, record::read(&session.tree.roots)?)?;
        state.check(&session.target.origin)?;
        let context = Context {
            request,
            session,
            snapshot,
            record: state.record,
            behind: state.behind,
            generation: locked.map(name).transpose()?,
        };
        let planned = match &request.step {
            Step::Prepare(options) => prepare::plan(&context, options)?,
            Step::Switch(options) => switch::plan(&context, options)?,
            Step::Retire(options) => retire::plan(&context, options)?,
            Step::Back => back::plan(&context)?,
        };
        let mut authorities = change::authorities(session, &context.snapshot, &planned.targets)?;
        let survey = std::mem::take(&mut authorities.survey);
        let (snapshot, issuers) = match locked {
            Some(locked) => locked.with(survey),
            None => (session.tree.with(survey), Issuers::default()),
        };
        let signers = locked.map(|_| &issuers);
        let now = (request.step.command(), request.run.now);
        let lists = lists::of(session, &context.snapshot, &planned.targets, signers, now)?;
        let following = match planned.is_idle() {
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
        let made = reissue::make(run, following.decided(), &snapshot.survey, &issuers, progress)?;
        let rewritten = reissue::rewritten(&following.repairs, &snapshot)?;
        let ids: Vec<String> = ids.iter().map(EntryId::to_string).collect();
        let pending = pending.and(&locked.generation_name(command, run.now)?, ids.iter().cloned());
        let lines = made.iter().map(|made| journal::line(command, &made.id.to_string(), &made.certificate, run.now));
        let lines = planned.journal.into_iter().chain(lines).chain(lists.journal).collect();
        summary::add_dates(&mut done, &made);
        let mut removals = planned.removals;
        let mut own = planned.own;
        own.extend(instructions::file(&done)?);
        if planned.record.is_empty() {
            removals.push(record::path()?);
        } else {
            own.push(record::change(&planned.record)?);
        }
        // What signs follows what trusts it: ca-signer.crt and the bundles come first.
        let changes = rewritten.into_iter().chain(authorities.changes).chain(lists.changes);
        let changes = changes.chain(made.into_iter().flat_map(|made| made.changes)).chain(own);
        let changes = changes.chain((!pending.is_empty()).then(|| pending.change()).transpose()?);
        let transaction = Transaction {
            changes: changes.collect(),
            removals,
            journal: lines,
            entries: Some(ids),
            ..Transaction::default()
        };
        done.generation = locked.commit(command, run.now, transaction)?;
        Ok((done, pending))
    }

    /// Runs the hooks, of this run and of an interrupted one.
    fn notify(&self, pending: &PendingNotifications, done: &mut Done, locked: &Locked<'_>) {
        if pending.is_empty() {
            return;
        }
        let known = pending.known(&self.session.credentials);
        let notified = self.notifier(known).notify(pending, done.generation.as_deref(), locked);
        done.hooks.extend(notified.hooks);
        done.warnings.extend(notified.warnings);
        done.rolled_back = notified.rolled_back;
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
