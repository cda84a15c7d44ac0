//! The tree, and the decision for each CRL entry.

use super::request::Request;
use super::select::{Selected, Selection, Selector};
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::revoke::{Change, RevocationRequest, decide};
use crate::revocation::Revoked;
use crate::workspace::crls::TreeCrl;
use crate::workspace::{Session, Snapshot, journal};
use crate::x509::Certificate;
use std::collections::{BTreeMap, BTreeSet};

/// The tree, and the decision for each CRL entry.
pub struct Evaluation {
    pub snapshot: Snapshot,
    pub selected: Vec<Selected>,
    /// What of `NODE/all` is left out, and why.
    pub left: Vec<String>,
    /// One for each that was selected, in the same order.
    pub changes: Vec<Change>,
    /// Of each authority, and of each certificate in its file that has signed one of these, by its place there.
    pub crls: BTreeMap<(CaId, usize), TreeCrl>,
}

fn selector(request: &Request) -> Selector<'_> {
    Selector {
        verb: request.verb,
        names: &request.names,
        certificate: request.certificate.as_deref(),
        serial: request.serial.as_ref().map(|(serial, authority)| (serial.as_str(), *authority)),
        unknown_serial: request.unknown_serial,
    }
}

pub fn evaluate(request: &Request, session: &Session<'_>, snapshot: Snapshot) -> Result<Evaluation, Error> {
    let Selection { all: selected, left } = selector(request).select(session, &snapshot)?;
    let lines = journal::read(&session.tree.roots)?;
    let mut evaluation = Evaluation { snapshot, changes: Vec::new(), crls: BTreeMap::new(), selected, left };
    let mut found: Vec<Option<Revoked>> = vec![None; evaluation.selected.len()];
    let lists: BTreeSet<(CaId, usize)> = evaluation.selected.iter().map(Selected::list).collect();
    for (authority, rank) in lists {
        let of_it = evaluation.selected.iter().enumerate().filter(|(_, one)| one.list() == (authority, rank));
        let (positions, serials): (Vec<usize>, Vec<&[u8]>) =
            of_it.map(|(position, one)| (position, one.serial.as_slice())).unzip();
        let crl = TreeCrl::read(
            &session.tree,
            authority,
            evaluation.issuer((authority, rank), session)?,
            evaluation.snapshot.bundle(authority),
            &lines,
        )?;
        for (position, entry) in positions.into_iter().zip(crl.entries(&session.tree, &serials)?) {
            if let Some(slot) = found.get_mut(position) {
                *slot = entry;
            }
        }
        evaluation.crls.insert((authority, rank), crl);
    }
    // What only the journal knows is not named where nothing becomes of it.
    let decide_one = |one: &Selected, entry: &Option<Revoked>| {
        let (verb, invalid_since) = (request.verb, request.invalid_since);
        decide(RevocationRequest { verb, serial: &one.serial, at: request.run.now, invalid_since }, entry.as_ref())
    };
    let all = std::mem::take(&mut evaluation.selected).into_iter().zip(std::mem::take(&mut found));
    let is_shown = |(one, entry): &(Selected, Option<Revoked>)| {
        !one.of_journal || matches!(decide_one(one, entry), Ok(change) if !matches!(change, Change::Nothing(_)))
    };
    (evaluation.selected, found) = all.filter(is_shown).unzip();
    let mut refusals = Vec::new();
    for (one, entry) in evaluation.selected.iter().zip(&found) {
        match decide_one(one, entry) {
            Ok(change) => evaluation.changes.push(change),
            // All of a node: what is on the CRL for good stays as it is.
            Err(_) if one.of_node => evaluation.changes.push(Change::Nothing(entry.clone())),
            Err(refusal) => refusals.push((one.label(), refusal)),
        }
    }
    if !refusals.is_empty() {
        return Err(error::refused_entries(request.verb.name(), &refusals, &session.target.origin));
    }
    // A first list: readers that check every issuer refuse the clients of those without one.
    let changed: BTreeSet<CaId> =
        evaluation.crls.keys().filter(|list| evaluation.changes(**list)).map(|list| list.0).collect();
    for authority in changed {
        for crl in TreeCrl::missing(&session.tree, &evaluation.snapshot, authority, &lines)? {
            evaluation.crls.entry(crl.id()).or_insert(crl);
        }
    }
    Ok(evaluation)
}

impl Evaluation {
    pub fn of(&self, list: (CaId, usize)) -> impl Iterator<Item = (&Selected, &Change)> {
        self.selected.iter().zip(&self.changes).filter(move |(one, _)| one.list() == list)
    }

    /// Entries of this list change.
    fn changes(&self, list: (CaId, usize)) -> bool {
        self.of(list).any(|(_, change)| !matches!(change, Change::Nothing(_)))
    }

    /// There is a next issue of this list: its entries change, or there is none beside one that changes.
    pub fn is_signed(&self, list: (CaId, usize)) -> bool {
        let is_missing = || self.crls.get(&list).is_some_and(|crl| crl.crl.is_none());
        let of_file = || self.crls.keys().any(|other| other.0 == list.0 && self.changes(*other));
        self.changes(list) || is_missing() && of_file()
    }

    /// The authorities that sign something. The one before them has its key in the tree.
    pub fn signers(&self) -> BTreeSet<CaId> {
        let signed = self.crls.keys().filter(|list| list.1 == 0 && self.is_signed(**list));
        signed.map(|(authority, _)| *authority).collect()
    }

    /// The certificate of an authority that is not external.
    pub fn issuer(&self, (authority, rank): (CaId, usize), session: &Session<'_>) -> Result<&Certificate, Error> {
        let state = self.snapshot.authorities.get(&authority);
        let is_local = state.is_some_and(|state| state.is_local());
        let local = self.snapshot.bundle(authority).get(rank).filter(|_| is_local);
        local.ok_or_else(|| error::no_signer(authority, state, &session.target.origin))
    }
}
