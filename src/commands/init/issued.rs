//! What the issuers of authorities elsewhere sign for a new tree.

use std::collections::BTreeSet;

use super::evaluate::Evaluation;
use super::external::external;
use super::request::Request;
use super::resolve::Resolved;
use crate::error::Error;
use crate::plan::renew as plan;
use crate::report;
use crate::report::facts::facts;
use crate::store::RootId;
use crate::workspace::issuing::{self, Issued};
use crate::workspace::requests::External;
use crate::workspace::targets::Target;
use crate::workspace::{Locked, Progress, Session, Transaction, referred, state};

/// The tree as `import` and `renew` see it.
pub fn target(request: &Request, resolved: &Resolved) -> Target {
    Target {
        root: request.directory.clone(),
        profile: Some(resolved.loaded.profile.clone()),
        node: None,
        kubelet_dir: request.kubelet_dir.clone(),
        origin: resolved.origin.clone(),
        profile_file: request.profile.clone(),
        profile_error: None,
        is_beside_trees: false,
        distrust: None,
        former_servers: resolved.former_servers.clone(),
        unrecorded: None,
    }
}

pub fn session<'a>(request: &'a Request, resolved: &Resolved, target: &'a Target) -> Result<Session<'a>, Error> {
    let tree = resolved.tree.clone();
    let mut credentials = plan::of_profile(&resolved.loaded.profile, &resolved.layout, &tree.directories);
    referred::follow(&mut credentials, &tree)?;
    Ok(Session { run: &request.run, target, tree, credentials, layout: Some(resolved.layout.clone()), only: None })
}

/// What is left to others.
pub fn left<'a>(resolved: &'a Resolved, evaluation: &Evaluation) -> External<'a> {
    external(&resolved.items, &evaluation.decided, &resolved.tree.roots)
}

/// Some of it has an issuer.
pub fn asks(session: &Session<'_>, resolved: &Resolved, evaluation: &Evaluation) -> bool {
    !issuing::orders(session, &left(resolved, evaluation)).is_empty()
}

/// Asks for it, and judges the answers.
pub fn ask(
    session: &Session<'_>,
    resolved: &Resolved,
    evaluation: &Evaluation,
    locked: &Locked<'_>,
    progress: Progress<'_>,
) -> Result<Issued, Error> {
    let wanted = left(resolved, evaluation);
    // A run that ends while it waits leaves requests: the next renewal asks again, by the profile that is recorded.
    if !issuing::orders(session, &wanted).is_empty() && !state::is_recorded(&resolved.tree.roots, &resolved.own_files)?
    {
        let changes = resolved.own_files.iter().filter(|file| file.root == RootId::State).cloned().collect();
        locked.commit("init", session.run.now, Transaction { changes, ..Transaction::default() })?;
    }
    let answers = issuing::ask(session, &wanted, &evaluation.snapshot, (locked, "init"), progress)?;
    match answers.is_empty() {
        true => Ok(Issued::default()),
        false => issuing::take(session, &session.peek()?, &answers, &BTreeSet::new()),
    }
}

/// Before anybody is asked: who would be.
pub fn plan(items: &mut [report::Item], session: &Session<'_>, resolved: &Resolved, evaluation: &Evaluation) {
    for order in issuing::orders(session, &left(resolved, evaluation)) {
        if let Some(row) = items.iter_mut().find(|row| row.id == order.credential.id) {
            row.has_issuer = true;
            row.reasons = vec![format!("{} would be asked for it", order.program())];
        }
    }
}

/// What came of each.
pub fn describe(report: &mut report::Init, issued: &Issued) {
    for left in &issued.left {
        if let Some(row) = report.items.iter_mut().find(|row| row.id == left.id) {
            row.has_issuer = true;
            row.reasons = vec![left.why.clone()];
        }
    }
    for (id, certificate) in issued.certificates() {
        if let Some(row) = report.items.iter_mut().find(|row| row.id == *id) {
            (row.action, row.facts) = ("create", Some(facts(certificate)));
            row.reasons = issued.programs.get(id).map(|program| format!("issued by {program}")).into_iter().collect();
        }
    }
    report.warnings.extend(issued.warnings.iter().cloned());
}
