//! `kpki crl update`: the next issue of each CRL, with the same entries.

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::refusal;
use crate::report::revoke as report;
use crate::store;
use crate::tree::Authority;
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::crls::{self, TreeCrl};
use crate::workspace::journal::Line;
use crate::workspace::shipping::one_of_several::list_of_one_node;
use crate::workspace::{Absent, Locked, RunArgs, Session, Snapshot, Transaction, TreeArgs, journal, targets};

const VERB: &str = "crl-update";

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Write DER beside PEM.
    pub der: bool,
    /// Empty: all.
    pub authorities: Vec<CaId>,
    /// Only CRLs that are inside their refresh window.
    pub due: bool,
}

/// The decision for one authority's CRL.
struct Plan {
    crl: TreeCrl,
    sign: bool,
    /// Why it is not signed although it is due.
    skipped: Option<String>,
}

pub fn run(request: &Request) -> Result<report::Revocation, Error> {
    let (target, mut warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    session.refuse_node("revocation lists")?;
    if !request.run.dry_run {
        session.tree.recover(request.run.lock_wait)?;
    }
    let mut snapshot = session.peek()?;
    let mut plans = session.tree.or_interrupted(evaluate(request, &session, &snapshot))?;
    let (mut issues, mut generation) = (Vec::new(), None);
    if request.run.dry_run {
        warnings.extend(session.tree.left_by_interrupted()?);
        for one in plans.iter().filter(|one| one.sign) {
            one.crl.verify(&session.tree)?;
        }
    } else if plans.iter().any(|one| one.sign) {
        let signed = plans.iter().filter(|one| one.sign && one.crl.is_of_signer());
        let locked = session.lock_to_sign(signed.map(|one| one.crl.authority).collect())?;
        (snapshot, plans, issues) = locked.without_failed_signers(|| {
            let (snapshot, issuers) = session.read(&locked)?;
            let plans = evaluate(request, &session, &snapshot)?;
            let signed = plans.iter().filter(|one| one.sign).map(|one| &one.crl);
            let issues = crl_issue::reissue(&session, &snapshot, &issuers, signed, request.der)?;
            Ok((snapshot, plans, issues))
        })?;
        store::check_writable(&session.tree.roots, &crl_issue::places(&issues))?;
        generation = commit(&session, &mut issues, &locked)?;
        warnings.extend(list_of_one_node(&session).filter(|_| !issues.is_empty()));
    }
    let mut lists = Vec::new();
    for one in &plans {
        let new = issues.iter().find(|new| new.authority == one.crl.authority && new.issuer.der == one.crl.issuer.der);
        let mut row = crl_issue::row(&one.crl, new, one.sign);
        if let Some(why) = &one.skipped {
            (row.action, row.why) = (report::Signing::Skipped, Some(why.clone()));
        }
        lists.push(row);
        if one.sign {
            warnings.extend(crl_issue::warnings(&one.crl, new, &one.crl.issuer, request.run.now));
        }
    }
    let mut new: Vec<CaId> = plans.iter().filter(|one| one.sign).map(|one| one.crl.authority).collect();
    new.dedup();
    let (directory, cluster) = session.names();
    Ok(report::Revocation {
        verb: "crl update",
        dry_run: request.run.dry_run,
        directory,
        cluster,
        generation,
        lists,
        ship: crl_issue::nodes(&session, &snapshot, &new).into_iter().collect(),
        warnings,
        ..report::Revocation::default()
    })
}

fn evaluate(request: &Request, session: &Session<'_>, snapshot: &Snapshot) -> Result<Vec<Plan>, Error> {
    let lines = journal::read(&session.tree.roots)?;
    let (named, now) = (!request.authorities.is_empty(), request.run.now);
    let mut plans = Vec::new();
    for id in CaId::ALL.into_iter().filter(|id| !named || request.authorities.contains(id)) {
        let authority = snapshot.authorities.get(&id);
        let Some(issuer) = authority.and_then(Authority::certificate) else {
            // An authority whose file cannot be used is not one that is missing.
            if let Some(refusal) = authority.and_then(|authority| refusal(id, authority, now)) {
                return Err(error::refused(&session.target.origin, &[refusal]));
            }
            if named {
                return Err(error::no_signer(id, authority, &session.target.origin));
            }
            continue;
        };
        for crl in former(session, snapshot, id, &lines)? {
            let sign = !request.due || crl.is_due(now);
            if crl.crl.is_some() || sign {
                plans.push(Plan { crl, sign, skipped: None });
            }
        }
        let crl = TreeCrl::read(&session.tree, id, issuer, snapshot.bundle(id), &lines)?;
        let wanted = !request.due || crl.is_due(now);
        let is_local = authority.is_some_and(Authority::is_local);
        if let Some(refusal) = authority.filter(|_| wanted).and_then(|authority| refusal(id, authority, now)) {
            return Err(error::refused(&session.target.origin, &[refusal]));
        }
        if !is_local && named && wanted {
            return Err(error::no_signer(id, authority, &session.target.origin));
        }
        // An external authority signs it: report when it stops.
        let skipped = match authority {
            Some(Authority::Closed(_, why)) if wanted => Some(why.to_string()),
            _ => (!is_local && crl.is_due(now)).then(|| format!("the key of {} is not in this tree", id.name())),
        };
        if crl.crl.is_some() || (is_local && wanted) || matches!(authority, Some(Authority::Closed(..)) if wanted) {
            plans.push(Plan { crl, sign: is_local && wanted, skipped });
        }
    }
    Ok(plans)
}

/// The lists of the authority before the one that signs, as long as its key is kept.
fn former(session: &Session<'_>, snapshot: &Snapshot, id: CaId, lines: &[Line]) -> Result<Vec<TreeCrl>, Error> {
    let mut found = Vec::new();
    for crl in TreeCrl::all(&session.tree, id, snapshot.bundle(id), lines)? {
        if !crl.is_of_signer() && crls::can_be_signed(&session.tree, snapshot, &crl)? {
            found.push(crl);
        }
    }
    Ok(found)
}

fn commit(session: &Session<'_>, issues: &mut [SignedCrlIssue], locked: &Locked<'_>) -> Result<Option<String>, Error> {
    if issues.is_empty() {
        return Ok(None);
    }
    let now = session.run.now;
    let transaction = Transaction {
        changes: issues.iter_mut().flat_map(|issue| std::mem::take(&mut issue.changes)).collect(),
        journal: issues.iter().map(|issue| issue.line(VERB, now)).collect(),
        entries: Some(issues.iter().map(SignedCrlIssue::name).collect()),
        ..Transaction::default()
    };
    Ok(locked.commit(VERB, now, transaction)?)
}
