//! `kpki revoke`, `hold`, `release`: which certificates, what the CRL says of each, refuse; under the lock look again, sign the
//! next issue of each CRL, commit.

mod known;
mod select;
mod summary;

use std::collections::BTreeMap;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::ca::Changes;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::refusal;
use crate::plan::revoke::{Change, RevocationRequest, Verb, decide};
use crate::report::revoke as report;
use crate::revocation::Revoked;
use crate::tree::Issuers;
use crate::workspace::crl_issue::SignedCrlIssue;
use crate::workspace::crls::TreeCrl;
use crate::workspace::{Absent, Locked, RunArgs, Session, Snapshot, Transaction, TreeArgs, journal, targets};
use crate::x509::Certificate;
use select::{Selected, Selector};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    pub run: RunArgs,
    /// Write DER beside PEM.
    pub der: bool,
    pub verb: Verb,
    pub names: Vec<String>,
    pub certificate: Option<PathBuf>,
    /// With the authority it is a number of.
    pub serial: Option<(String, CaId)>,
    pub invalid_since: Option<OffsetDateTime>,
    pub unknown_serial: bool,
}

/// The tree as it is, and what is to become of each entry.
struct Evaluation {
    snapshot: Snapshot,
    selected: Vec<Selected>,
    /// One for each that was selected, in the same order.
    changes: Vec<Change>,
    crls: BTreeMap<CaId, TreeCrl>,
}

/// Revokes, holds or releases, or says exactly why not.
pub fn run(request: &Request) -> Result<report::Revocation, Error> {
    let (target, warnings) = targets::one(&request.trees)?;
    let session = Session::open(&request.trees, &request.run, &target, Absent::Refused)?;
    if request.run.dry_run {
        let evaluation = evaluate(request, &session, session.peek()?)?;
        for (authority, crl) in &evaluation.crls {
            crl.verify(&session, evaluation.issuer(*authority)?)?;
        }
        return summary::report(request, &session, &evaluation, &[], None, warnings);
    }
    if !session.tree.is_half_done()? {
        // A name that is unknown is refused before anything is locked.
        selector(request).select(&session, &session.peek()?)?;
    }
    let locked = session.lock()?;
    let (snapshot, issuers) = session.read(&locked)?;
    let evaluation = evaluate(request, &session, snapshot)?;
    let mut issues = sign(request, &session, &evaluation, &issuers)?;
    let generation = commit(request, &evaluation, &mut issues, &locked)?;
    summary::report(request, &session, &evaluation, &issues, generation, warnings)
}

fn selector(request: &Request) -> Selector<'_> {
    Selector {
        names: &request.names,
        certificate: request.certificate.as_deref(),
        serial: request.serial.as_ref().map(|(serial, authority)| (serial.as_str(), *authority)),
        unknown_serial: request.unknown_serial,
    }
}

fn evaluate(request: &Request, session: &Session<'_>, snapshot: Snapshot) -> Result<Evaluation, Error> {
    let selected = selector(request).select(session, &snapshot)?;
    let lines = journal::read(&session.tree.roots)?;
    let mut evaluation = Evaluation { snapshot, changes: Vec::new(), crls: BTreeMap::new(), selected };
    let mut found: Vec<Option<Revoked>> = vec![None; evaluation.selected.len()];
    for authority in CaId::ALL {
        let of_it = evaluation.selected.iter().enumerate().filter(|(_, one)| one.authority == authority);
        let (positions, serials): (Vec<usize>, Vec<&[u8]>) =
            of_it.map(|(position, one)| (position, one.serial.as_slice())).unzip();
        if positions.is_empty() {
            continue;
        }
        let crl = TreeCrl::read(session, authority, evaluation.issuer(authority)?, &lines)?;
        for (position, entry) in positions.into_iter().zip(crl.entries(session, &serials)?) {
            if let Some(slot) = found.get_mut(position) {
                *slot = entry;
            }
        }
        evaluation.crls.insert(authority, crl);
    }
    let mut refusals = Vec::new();
    for (one, entry) in evaluation.selected.iter().zip(&found) {
        let (verb, invalid_since) = (request.verb, request.invalid_since);
        let wanted = RevocationRequest { verb, serial: &one.serial, at: request.run.now, invalid_since };
        match decide(wanted, entry.as_ref()) {
            Ok(change) => evaluation.changes.push(change),
            Err(refusal) => refusals.push((one.label(), refusal)),
        }
    }
    if refusals.is_empty() { Ok(evaluation) } else { Err(error::refused_entries(request.verb.name(), &refusals)) }
}

impl Evaluation {
    fn of(&self, authority: CaId) -> impl Iterator<Item = (&Selected, &Change)> {
        self.selected.iter().zip(&self.changes).filter(move |(one, _)| one.authority == authority)
    }

    /// The certificate of an authority whose key is here.
    fn issuer(&self, authority: CaId) -> Result<&Certificate, Error> {
        let state = self.snapshot.authorities.get(&authority);
        let local = state.filter(|state| state.is_local()).and_then(|state| state.certificate());
        local.ok_or_else(|| error::no_signer(authority, state))
    }
}

/// The next issue of every CRL that changes, in memory. One that does not change is verified all the same: a CRL that is not
/// the authority's says nothing.
fn sign(
    request: &Request,
    session: &Session<'_>,
    evaluation: &Evaluation,
    issuers: &Issuers,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut issues = Vec::new();
    for (id, crl) in &evaluation.crls {
        let state = evaluation.snapshot.authorities.get(id);
        let issuer = issuers.get(*id).ok_or_else(|| error::no_signer(*id, state))?;
        let (mut additions, mut removals): (Vec<Revoked>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for (_, change) in evaluation.of(*id) {
            match change {
                Change::Add(revoked) | Change::Harden(revoked) => additions.push(revoked.clone()),
                Change::Remove(revoked) => removals.push(revoked.serial.clone()),
                Change::Nothing(_) => {}
            }
        }
        if additions.is_empty() && removals.is_empty() {
            crl.verify(session, issuer.certificate())?;
            continue;
        }
        if let Some(refusal) = state.and_then(|state| refusal(*id, state, request.run.now)) {
            return Err(error::refused(&session.target.root, &[refusal]));
        }
        let changes = Changes { additions: &additions, removals: &removals };
        issues.push(crl.next_issue(session, &evaluation.snapshot, issuer, changes, request.der)?);
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
        let authority = evaluation.issuer(issue.authority)?;
        for (one, change) in evaluation.of(issue.authority) {
            let (Change::Add(revoked) | Change::Harden(revoked) | Change::Remove(revoked)) = change else { continue };
            lines.push(journal::crl_line(verb, &one.label(), authority, &issue.number, Some(revoked), now));
            entries.push(one.label());
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
