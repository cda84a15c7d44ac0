//! `kpki nodes merge`: receipts in, checked; then one commit of the receipts, the journal's lines and the next issue of each list.

use super::request::{MergeRequest as Request, VERB};
use super::theirs::{self, Brought};
use super::{accept, journal as certificates, lists, status, summary};
use crate::error::Error;
use crate::profile::Profile;
use crate::report::nodes::{Merge, Merged};
use crate::store;
use crate::tree::Issuers;
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::journal::{self, Line};
use crate::workspace::shipping::given::{self, Given};
use crate::workspace::shipping::nodes;
use crate::workspace::shipping::receipt::Receipt;
use crate::workspace::{Absent, Session, Snapshot, Transaction, TreeArgs, targets};

/// What the receipts bring.
#[derive(Default)]
struct Evaluation<'g> {
    /// Those that are not recorded yet.
    new: Vec<&'g Given>,
    rows: Vec<Merged>,
    /// The journal's lines of certificates.
    lines: Vec<String>,
    plans: Vec<lists::Plan>,
    /// What is to be said of the receipts.
    warnings: Vec<String>,
    /// A node has a later state than this directory: from which on its states count.
    revision: Option<u64>,
}

impl Evaluation<'_> {
    fn changes_something(&self) -> bool {
        !self.new.is_empty() || !self.plans.is_empty() || !self.lines.is_empty() || self.revision.is_some()
    }
}

pub fn merge(request: &Request) -> Result<Merge, Error> {
    let given = given::read(&request.receipts)?;
    let brought = theirs::brought(&request.crls, &given)?;
    let trees = TreeArgs { dirs: vec![request.dir.clone()], keys: request.keys.clone(), ..TreeArgs::default() };
    let (target, mut warnings) = targets::one(&trees)?;
    let profile = status::profile_of(&target.root)?;
    let session = Session::open(&trees, &request.run, &target, Absent::Refused)?;
    let (mut issues, mut generation) = (Vec::new(), None);
    if !request.run.dry_run {
        session.tree.recover(request.run.lock_wait)?;
    }
    let peeked = session.peek()?;
    let mut evaluation = session.tree.or_interrupted(evaluate(&session, &peeked, &profile, (&given, &brought)))?;
    if request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
    } else if evaluation.changes_something() {
        let signed = evaluation.plans.iter().filter(|plan| plan.signable() && plan.crl.is_of_signer());
        let locked = session.lock_to_sign(signed.map(|plan| plan.crl.authority).collect())?;
        let (snapshot, issuers) = session.read(&locked)?;
        evaluation = evaluate(&session, &snapshot, &profile, (&given, &brought))?;
        issues = sign(&session, &snapshot, &issuers, &evaluation)?;
        let transaction = transaction(&session, &evaluation, &given, &mut issues)?;
        if !transaction.changes.is_empty() {
            generation = locked.commit(VERB, request.run.now, transaction)?;
        }
    }
    for plan in &evaluation.plans {
        let new = issues.iter().find(|new| new.id() == plan.crl.id());
        if plan.signable() {
            warnings.extend(crl_issue::warnings(&plan.crl, new, &plan.crl.issuer, request.run.now));
        }
    }
    warnings.append(&mut evaluation.warnings);
    warnings.extend(summary::not_taken(&given, &profile));
    summary::report(
        (request, &given),
        &session,
        &profile,
        (evaluation.rows, evaluation.plans),
        &issues,
        generation,
        warnings,
    )
}

/// Refuses what cannot be accepted; what the others bring.
fn evaluate<'g>(
    session: &Session<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    (given, brought): (&'g [Given], &Brought),
) -> Result<Evaluation<'g>, Error> {
    let roots = &session.tree.roots;
    let mut with_last = Vec::new();
    for one in given {
        // One of a node that the profile does not have is refused below.
        let last =
            if profile.node(&one.receipt.node).is_some() { nodes::receipt(roots, &one.receipt.node)? } else { None };
        with_last.push((one, last));
    }
    let (own, revision): (Vec<Line>, u64) = (journal::read(roots)?, journal::revision(roots)?);
    let here = accept::Here { profile, snapshot, lines: &own, revision, brought, now: session.run.now };
    let warnings = accept::check(&with_last, &here)?;
    let is_known = |one: &Given, last: &Option<Receipt>| last.as_ref() == Some(&one.receipt);
    let new: Vec<&Given> = with_last.iter().filter(|(one, last)| !is_known(one, last)).map(|(one, _)| *one).collect();
    let mut receipts: Vec<Receipt> = given.iter().map(|one| one.receipt.clone()).collect();
    for node in profile.nodes.iter().filter(|node| given.iter().all(|one| one.receipt.node != node.name)) {
        receipts.extend(nodes::receipt(roots, &node.name)?);
    }
    let signers: Vec<&Receipt> = receipts.iter().filter(|one| summary::signs(profile, one)).collect();
    let plans = lists::plans(session, snapshot, &signers, (&receipts, brought), &own)?;
    let mut known = certificates::known(&own);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (one, last) in &with_last {
        let signs = summary::signs(profile, &one.receipt);
        let added = certificates::added(&one.receipt, signs, &mut known, snapshot, session.run.now);
        rows.push(Merged {
            node: one.receipt.node.clone(),
            time: one.receipt.time.clone(),
            known: is_known(one, last),
            certificates: added.lines.len(),
            revocations: plans.iter().map(|plan| plan.count(&one.receipt.node)).sum(),
            passed_over: added.passed_over,
        });
        lines.extend(added.lines);
    }
    let last = with_last.iter().filter_map(|(_, last)| last.as_ref());
    let later = receipts.iter().chain(last).filter_map(|one| Some(one.issue.as_ref()?.revision));
    let later = later.filter(|later| *later > revision && accept::is_believed(*later, revision)).max();
    let revision = later.map(|later| later.saturating_add(1));
    Ok(Evaluation { new, rows, lines, plans, warnings, revision })
}

fn sign(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuers: &Issuers,
    evaluation: &Evaluation<'_>,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut issues = Vec::new();
    for plan in evaluation.plans.iter().filter(|plan| plan.signable()) {
        if let Some(issue) = plan.sign(session, snapshot, issuers, &issues)? {
            crl_issue::add(&mut issues, issue);
        }
    }
    store::check_writable(&session.tree.roots, &crl_issue::places(&issues))?;
    Ok(issues)
}

fn transaction(
    session: &Session<'_>,
    evaluation: &Evaluation<'_>,
    given: &[Given],
    issues: &mut [SignedCrlIssue],
) -> Result<Transaction, Error> {
    let line = |revision| journal::revision_line(VERB, revision, session.run.now);
    let lines = evaluation.lines.iter().cloned().chain(evaluation.revision.map(line)).collect();
    let mut transaction = Transaction { journal: lines, ..Transaction::default() };
    for plan in &evaluation.plans {
        let Some(issue) = issues.iter_mut().find(|issue| issue.id() == plan.crl.id()) else { continue };
        transaction.journal.extend(plan.journal(issue, session));
        transaction.entries.get_or_insert_default().push(issue.name());
        transaction.changes.append(&mut issue.changes);
    }
    // A journal that has lost its lines gets them again with the receipts that they are from.
    let is_written = |one: &&Given| {
        !transaction.journal.is_empty() || evaluation.new.iter().any(|new| new.receipt.node == one.receipt.node)
    };
    let receipts = given.iter().filter(is_written).map(|one| nodes::receipt_change(&one.receipt));
    let receipts = receipts.collect::<Result<Vec<_>, Error>>()?;
    transaction.changes.extend(receipts);
    Ok(transaction)
}
