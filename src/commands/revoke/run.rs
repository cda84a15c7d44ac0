//! Evaluate, refuse; under the lock evaluate again, sign, commit.

use super::evaluate::{Evaluation, evaluate};
use super::request::Request;
use super::summary;
use crate::ca::Changes;
use crate::error::{self, Error};
use crate::plan::renew::refusal;
use crate::plan::revoke::Change;
use crate::report::revoke as report;
use crate::revocation::Revoked;
use crate::tree::Issuers;
use crate::workspace::crl_issue::{self, SignedCrlIssue, Writing};
use crate::workspace::shipping::one_of_several::list_of_one_node;
use crate::workspace::{Absent, Locked, Session, Transaction, journal, targets};

/// Revokes, holds or releases.
pub fn run(request: &Request) -> Result<report::Revocation, Error> {
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    if request.run.dry_run {
        let evaluation = session.tree.or_interrupted(evaluate(request, &session, session.peek()?))?;
        for (list, crl) in &evaluation.crls {
            evaluation.issuer(*list, &session)?;
            crl.verify(&session.tree)?;
        }
        warnings.extend(session.tree.left_by_interrupted()?);
        return summary::report(request, &session, &evaluation, &[], None, warnings);
    }
    session.tree.recover(request.run.lock_wait)?;
    // What is refused is refused before the lock, and before anybody is asked for a passphrase.
    let signers = session.tree.or_interrupted(evaluate(request, &session, session.peek()?))?.signers();
    let locked = session.lock_to_sign(signers)?;
    let mut is_first = true;
    let (evaluation, mut issues) = locked.without_failed_signers(|| {
        let (snapshot, issuers) = session.read(&locked)?;
        let evaluation = evaluate(request, &session, snapshot)?;
        let differs = |said: &Vec<_>| *said != summary::entries(request, &evaluation);
        if std::mem::take(&mut is_first) && request.confirmed.as_ref().is_some_and(differs) {
            return Err(Error::new("the certificates changed while the question was open: nothing was revoked")
                .hint("run the command again"));
        }
        let issues = sign(request, &session, &evaluation, &issuers)?;
        Ok((evaluation, issues))
    })?;
    let generation = commit(request, &evaluation, &mut issues, &locked)?;
    if !issues.is_empty() {
        warnings.extend(list_of_one_node(&session));
    }
    summary::report(request, &session, &evaluation, &issues, generation, warnings)
}

/// The next issue of every CRL that changes, in memory. A CRL that does not change is verified too: one that the
/// authority did not sign has no meaning.
fn sign(
    request: &Request,
    session: &Session<'_>,
    evaluation: &Evaluation,
    issuers: &Issuers,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut issues = Vec::new();
    for (list, crl) in &evaluation.crls {
        let id = &list.0;
        let state = evaluation.snapshot.authorities.get(id);
        let issuer =
            issuers.of(*id, &crl.issuer).ok_or_else(|| error::no_signer(*id, state, &session.target.origin))?;
        let (mut additions, mut removals): (Vec<Revoked>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for (_, change) in evaluation.of(*list) {
            match change {
                Change::Add(revoked) | Change::MakePermanent(revoked) => additions.push(revoked.clone()),
                Change::Remove(revoked) => removals.push(revoked.serial.clone()),
                Change::Nothing(_) => {}
            }
        }
        if !evaluation.is_signed(*list) {
            crl.verify(&session.tree)?;
            continue;
        }
        if let Some(refusal) = state.and_then(|state| refusal(*id, state, request.run.now)) {
            return Err(error::refused(&session.target.origin, &[refusal]));
        }
        let changes = Changes { additions: &additions, removals: &removals };
        let writing = Writing { der: request.der, earlier: &issues };
        let issue = crl.next_issue(session, &evaluation.snapshot, issuer, changes, writing)?;
        crl_issue::add(&mut issues, issue);
    }
    Ok(issues)
}

fn commit(
    request: &Request,
    evaluation: &Evaluation,
    issues: &mut [SignedCrlIssue],
    locked: &Locked<'_>,
) -> Result<Option<String>, Error> {
    if issues.is_empty() {
        return Ok(None);
    }
    let (verb, now) = (request.verb.name(), request.run.now);
    let (mut lines, mut entries) = (Vec::new(), Vec::new());
    for issue in issues.iter() {
        let before = lines.len();
        for (one, change) in evaluation.of((issue.authority, issue.rank)) {
            let (Change::Add(revoked) | Change::MakePermanent(revoked) | Change::Remove(revoked)) = change else {
                continue;
            };
            lines.push(journal::crl_line(verb, &one.label(), &issue.issuer, &issue.number, Some(revoked), now));
            entries.push(one.label());
        }
        if lines.len() == before {
            lines.push(issue.line(verb, now));
        }
    }
    let transaction = Transaction {
        changes: issues.iter_mut().flat_map(|issue| std::mem::take(&mut issue.changes)).collect(),
        journal: lines,
        entries: Some(entries),
        ..Transaction::default()
    };
    Ok(locked.commit(verb, now, transaction)?)
}
