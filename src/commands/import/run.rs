//! Match each certificate with its key, judge all, commit.

use super::request::Request;
use super::waiting;
use crate::error::{self, Error};
use crate::files;
use crate::plan::import::Refusal;
use crate::report::requests::{Requests, Verb};
use crate::report::restart::{Changed, restarts};
use crate::store::FileChange;
use crate::tree::EntryId;
use crate::workspace::importing::{Arranged, Importing, Placed, candidates};
use crate::workspace::{Absent, Locked, Session, Transaction, journal, survey, targets};
use crate::x509::Certificate;
use std::path::Path;

/// A larger file is not a certificate.
const LARGEST: u64 = 4 << 20;

/// Puts all certificates in place, or none.
pub fn run(request: &Request) -> Result<Requests, Error> {
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Planned)?;
    // The certificate of an authority elsewhere is the first that there is of a tree.
    let is_new = files::what(None, &session.tree.roots.main).is_none();
    let locked = match (request.run.dry_run, is_new) {
        (true, _) => None,
        (false, true) => Some(session.tree.lock_made(request.run.lock_wait)?),
        (false, false) => Some(session.lock()?),
    };
    let snapshot = match &locked {
        Some(locked) => session.read(locked)?.0,
        None => {
            warnings.extend(session.tree.left_by_interrupted()?);
            session.peek()?
        }
    };
    let candidates = candidates::read(&session, &snapshot.survey, request.requests.as_deref(), &mut warnings)?;
    let importing = Importing { session: &session, snapshot: &snapshot, candidates, root: request.root.as_deref() };
    let (mut placed, mut refused): (Vec<Placed>, Vec<(String, Refusal)>) = (Vec::new(), Vec::new());
    for path in &request.files {
        match one(&importing, path, request.entry.as_deref(), &mut warnings)? {
            Ok(one) if !one.changes.is_empty() && placed.iter().any(|other| other.entry.id == one.entry.id) => {
                refused.push((path.display().to_string(), Refusal::Twice));
            }
            Ok(one) => placed.push(one),
            Err(why) => refused.push((path.display().to_string(), why)),
        }
    }
    if !refused.is_empty() {
        let has_issuer = |id: &str| {
            let mut credentials = session.credentials.iter().filter(|one| one.id.to_string() == id);
            credentials.any(|one| one.issuer(session.profile()).is_some())
        };
        return Err(error::not_imported(&refused, &session.target.origin, &has_issuer));
    }
    let is_external = |one: &Placed| {
        let mut credentials = session.credentials.iter().filter(|credential| credential.roots().is_some());
        credentials.any(|credential| credential.id == one.entry.id)
    };
    if request.root.is_some() && !placed.iter().any(is_external) {
        return Err(Error::usage("--root is for entries of an external authority, and none of these is one")
            .hint("leave it out: the path is checked against the tree's own authority"));
    }
    warnings.extend(placed.iter().flat_map(|one| one.warnings.iter().cloned()));
    let left = waiting::left(&session, &placed)?;
    let trusting = trusting(&placed).map(|id| Changed { id: id.clone(), authority_data: true }).collect::<Vec<_>>();
    let generation = locked.map(|locked| commit(&session, &mut placed, &locked)).transpose()?.flatten();
    // What was not there before is read when its readers start.
    let put = placed.iter().filter(|one| one.entry.action == "import" && one.entry.old.is_some());
    Ok(Requests {
        verb: Verb::Import,
        directory: Some(session.names().0),
        tree: Some(session.target.origin.clone()),
        out: None,
        dry_run: request.run.dry_run,
        generation,
        restart: restarts(put.map(|one| Changed::from(one.entry.id.clone())).chain(trusting), session.profile()),
        entries: placed.into_iter().map(|one| one.entry).collect(),
        warnings,
        left,
    })
}

/// The kubeconfigs whose trust follows an authority of the same key.
fn trusting(placed: &[Placed]) -> impl Iterator<Item = &EntryId> {
    placed.iter().flat_map(|one| &one.trusting).map(|(id, _)| id)
}

/// Commits in one transaction; returns the generation with the old files.
fn commit(session: &Session<'_>, placed: &mut [Placed], locked: &Locked<'_>) -> Result<Option<String>, Error> {
    let now = session.run.now;
    let put: Vec<(String, &Certificate)> =
        placed.iter().filter_map(|one| Some((one.entry.id.to_string(), one.certificate.as_ref()?))).collect();
    if placed.iter().all(|one| one.changes.is_empty()) {
        return Ok(None);
    }
    // Where all of them wait, no entry changes.
    let is_put = !put.is_empty();
    let line = |one: &Placed| {
        let new = one.certificate.as_ref()?;
        Some(journal::authority_line("import", &one.entry.id.to_string(), (one.before.as_ref(), new), now))
    };
    let journal = placed.iter().filter_map(line).collect();
    let entries =
        is_put.then(|| put.into_iter().map(|(id, _)| id).chain(trusting(placed).map(|id| id.to_string())).collect());
    let mut changes: Vec<FileChange> = placed.iter_mut().flat_map(|one| std::mem::take(&mut one.changes)).collect();
    for (_, change) in placed.iter_mut().flat_map(|one| std::mem::take(&mut one.trusting)) {
        // A kubeconfig that gets a new credential is written once.
        if !changes.iter().any(|other| (other.root, &other.path) == (change.root, &change.path)) {
            changes.push(change);
        }
    }
    let transaction = Transaction {
        journal,
        entries,
        changes,
        removals: placed.iter_mut().flat_map(|one| std::mem::take(&mut one.removals)).collect(),
        ..Transaction::default()
    };
    Ok(locked.commit("import", now, transaction)?)
}

/// One file, or why it may not be put in place.
fn one(
    importing: &Importing<'_>,
    path: &Path,
    named: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<Result<Placed, Refusal>, Error> {
    let bytes = survey::input(path, LARGEST)?;
    let Arranged { leaf, rest, said } = match importing.arranged(&bytes, named)? {
        Ok(arranged) => arranged,
        Err(why) => return Ok(Err(why)),
    };
    let placed = match importing.candidate(&leaf, named) {
        Ok(candidate) => importing.leaf(candidate, &leaf, &rest)?,
        Err(_) if leaf.is_ca => importing.authority(&[vec![leaf], rest].concat(), named)?,
        Err(why) => return Ok(Err(why)),
    };
    if placed.is_ok() {
        warnings.extend(said.into_iter().map(|what| format!("{}: {what}", path.display())));
    }
    Ok(placed)
}
