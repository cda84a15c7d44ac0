//! `kpki nodes merge`: receipts in, checked; then one commit of the receipts, the journal's lines and the next issue of each list.

use super::receipts::{self, Given, Input};
use super::{accept, journal as certificates, lists, status};
use crate::error::Error;
use crate::files::{shell_path, shell_word};
use crate::profile::Profile;
use crate::report::nodes::{Merge, Merged};
use crate::store;
use crate::tree::Issuers;
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::journal::{self, Line};
use crate::workspace::shipping::receipt::Receipt;
use crate::workspace::shipping::{collect, nodes};
use crate::workspace::{Absent, RunArgs, Session, Snapshot, Transaction, TreeArgs, targets};

pub const VERB: &str = "nodes-merge";

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    pub receipts: Vec<Input>,
}

/// What the receipts bring.
struct Evaluation<'g> {
    /// Those that are not recorded yet.
    new: Vec<&'g Given>,
    rows: Vec<Merged>,
    /// The journal's lines of certificates.
    lines: Vec<String>,
    plans: Vec<lists::Plan>,
}

pub fn merge(request: &Request) -> Result<Merge, Error> {
    let given = receipts::read(&request.receipts)?;
    let (target, mut warnings) = targets::one(&request.trees)?;
    let profile = status::profile_of(&target.root)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    let (mut issues, mut generation) = (Vec::new(), None);
    let peeked = session.peek()?;
    let half_done = !request.run.dry_run && session.tree.is_half_done()?;
    let mut evaluation = match half_done {
        true => Evaluation { new: given.iter().collect(), rows: Vec::new(), lines: Vec::new(), plans: Vec::new() },
        false => session.tree.or_interrupted(evaluate(&session, &peeked, &profile, &given))?,
    };
    if request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
    } else if half_done || !evaluation.new.is_empty() || !evaluation.plans.is_empty() {
        let locked = session.lock()?;
        let (snapshot, issuers) = session.read(&locked)?;
        evaluation = evaluate(&session, &snapshot, &profile, &given)?;
        issues = sign(&session, &snapshot, &issuers, &evaluation)?;
        let transaction = transaction(&session, &snapshot, &evaluation, &mut issues)?;
        if !transaction.changes.is_empty() {
            generation = locked.commit(VERB, request.run.now, transaction)?;
        }
    }
    for plan in &evaluation.plans {
        let new = issues.iter().find(|new| new.authority == plan.crl.authority);
        if let Some(issuer) = peeked.certificate(plan.crl.authority).filter(|_| plan.signable) {
            warnings.extend(crl_issue::warnings(&plan.crl, new, issuer, request.run.now));
        }
    }
    warnings.extend(left_out(&given));
    report(request, &session, &profile, evaluation, &issues, generation, warnings)
}

/// Refuses what cannot be accepted; what the others bring.
fn evaluate<'g>(
    session: &Session<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    given: &'g [Given],
) -> Result<Evaluation<'g>, Error> {
    let roots = &session.tree.roots;
    let mut with_last = Vec::new();
    for one in given {
        // One of a node that the profile does not have is refused below.
        let last =
            if profile.node(&one.receipt.node).is_some() { nodes::receipt(roots, &one.receipt.node)? } else { None };
        with_last.push((one, last));
    }
    accept::check(&with_last, profile, snapshot, session.run.now)?;
    let is_known = |one: &Given, last: &Option<Receipt>| last.as_ref() == Some(&one.receipt);
    let new: Vec<&Given> = with_last.iter().filter(|(one, last)| !is_known(one, last)).map(|(one, _)| *one).collect();
    let own: Vec<Line> = journal::read(roots)?;
    let mut receipts: Vec<Receipt> = given.iter().map(|one| one.receipt.clone()).collect();
    for node in profile.nodes.iter().filter(|node| given.iter().all(|one| one.receipt.node != node.name)) {
        receipts.extend(nodes::receipt(roots, &node.name)?);
    }
    let all: Vec<&Given> = given.iter().collect();
    let plans = lists::plans(session, snapshot, &all, &receipts, &own)?;
    let mut known = certificates::known(&own);
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (one, last) in &with_last {
        let added = certificates::added(one, &mut known, snapshot);
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
    Ok(Evaluation { new, rows, lines, plans })
}

fn sign(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuers: &Issuers,
    evaluation: &Evaluation<'_>,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut issues = Vec::new();
    for plan in evaluation.plans.iter().filter(|plan| plan.signable) {
        issues.extend(plan.sign(session, snapshot, issuers)?);
    }
    store::check_writable(&session.tree.roots, &crl_issue::places(&issues))?;
    Ok(issues)
}

fn transaction(
    session: &Session<'_>,
    snapshot: &Snapshot,
    evaluation: &Evaluation<'_>,
    issues: &mut [SignedCrlIssue],
) -> Result<Transaction, Error> {
    let mut transaction = Transaction { journal: evaluation.lines.clone(), ..Transaction::default() };
    for plan in &evaluation.plans {
        let Some(issue) = issues.iter_mut().find(|issue| issue.authority == plan.crl.authority) else { continue };
        transaction.journal.extend(plan.journal(issue, session, snapshot));
        transaction.entries.get_or_insert_default().push(issue.name());
        transaction.changes.append(&mut issue.changes);
    }
    for one in &evaluation.new {
        transaction.changes.push(nodes::receipt_change(&one.receipt)?);
    }
    Ok(transaction)
}

/// A journal that was too long for its receipt.
fn left_out(given: &[Given]) -> Vec<String> {
    let long = given.iter().filter(|one| one.receipt.journal_left_out > 0);
    long.map(|one| {
        let Receipt { node, journal_left_out, .. } = &one.receipt;
        format!("{node} has {journal_left_out} older lines in its journal that its receipt leaves out: what they issued stays unknown here")
    })
    .collect()
}

fn report(
    request: &Request,
    session: &Session<'_>,
    profile: &Profile,
    evaluation: Evaluation<'_>,
    issues: &[SignedCrlIssue],
    generation: Option<String>,
    warnings: Vec<String>,
) -> Result<Merge, Error> {
    let signed: Vec<&str> =
        evaluation.plans.iter().filter(|plan| plan.signable).map(|plan| plan.crl.authority.name()).collect();
    let mut ship = Vec::new();
    for node in &profile.nodes {
        let (entries, _) = collect::of_cluster(&session.target.root, profile, &node.name)?;
        if entries.iter().any(|one| signed.contains(&one.entry.as_str())) {
            ship.push(node.name.clone());
        }
    }
    let (directory, cluster) = session.names();
    let pack = |node: &String| {
        let (archive, dir) = (shell_path(format!("{node}.tar.gz")), shell_path(&directory));
        format!(
            "pack the new list, and unpack it on {node}: kpki export {} --out {archive} --dir {dir}",
            shell_word(node)
        )
    };
    let new = |plan: &lists::Plan| issues.iter().find(|new| new.authority == plan.crl.authority);
    Ok(Merge {
        dry_run: request.run.dry_run,
        generation,
        receipts: evaluation.rows,
        lists: evaluation.plans.iter().map(|plan| plan.row(new(plan))).collect(),
        findings: evaluation.plans.iter().flat_map(|plan| plan.findings.clone()).collect(),
        next: ship.iter().map(pack).collect(),
        ship,
        warnings,
        directory,
        cluster,
    })
}
