//! The lists of the authorities that nodes sign as well: their numbers, what was revoked and released there, and the next
//! issue that has all of it.

use std::collections::BTreeMap;

use super::receipts::Given;
use super::request::VERB;
use crate::ca::Changes;
use crate::catalog::CaId;
use crate::encoding::base64;
use crate::error::{self, Error};
use crate::plan::list_merge::{Difference, Event, difference, merged};
use crate::plan::renew::refusal;
use crate::plan::revoke::serial_of_hex;
use crate::plan::shipping::{self, Listed};
use crate::report::revoke::{CrlRow, Signing};
use crate::revocation::Revoked;
use crate::tree::{Authority, Issuers};
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::crls::TreeCrl;
use crate::workspace::journal::{CrlLine, Line, serial_text};
use crate::workspace::shipping::receipt::{HeldList, Receipt, instant};
use crate::workspace::{Session, Snapshot};
use crate::x509::{Certificate, all_revoked, sha256};

/// One authority's list, which is to be issued anew.
pub struct Plan {
    pub crl: TreeCrl,
    additions: Vec<Revoked>,
    removals: Vec<Vec<u8>>,
    /// The nodes' lines that say so, each with its node.
    lines: Vec<(String, CrlLine)>,
    /// The authority's key is in this tree.
    pub signable: bool,
    /// Numbers and fingerprints that go apart.
    pub findings: Vec<String>,
}

/// Those of the authorities whose list is another on a node, or lacks an entry. `receipts`: all that are known.
pub fn plans(
    session: &Session<'_>,
    snapshot: &Snapshot,
    given: &[&Given],
    receipts: &[Receipt],
    lines: &[Line],
) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    for id in CaId::ALL {
        let Some(issuer) = snapshot.certificate(id) else { continue };
        let mut crl = TreeCrl::read(&session.tree, id, issuer, lines)?;
        crl.verify(&session.tree, issuer)?;
        let ours = crl.issue();
        let (mut findings, mut later) = (Vec::new(), Vec::new());
        for (node, list) in of(id, receipts) {
            let theirs = list.issue();
            if matches!(shipping::list(ours.as_ref(), Some(&theirs)), Some(Listed::Ahead | Listed::Diverging)) {
                let here = ours.as_ref().map_or_else(|| "no list".to_owned(), |_| said(&crl));
                let entries = carried(list, issuer);
                let lost = if entries.is_none() {
                    "; its entries are not in the receipt: revoke here what it revokes"
                } else {
                    ""
                };
                findings.push(format!("{} on {node} is {list}; here it is {here}{lost}", crl.path));
                later.extend(entries.into_iter().flatten().map(|line| (node, line)));
            }
            theirs.number.into_iter().for_each(|number| crl.above(number));
        }
        let (additions, removals, lines) = changes(session, &crl, issuer, (given, &later), lines)?;
        if findings.is_empty() && additions.is_empty() && removals.is_empty() {
            continue;
        }
        let signable = snapshot.authorities.get(&id).is_some_and(Authority::is_local);
        plans.push(Plan { crl, additions, removals, lines, signable, findings });
    }
    Ok(plans)
}

/// One authority's list on each node that has one.
fn of(id: CaId, receipts: &[Receipt]) -> impl Iterator<Item = (&str, &HeldList)> {
    let one = move |receipt: &'_ Receipt| receipt.lists.iter().position(|list| list.authority == id.name());
    receipts.iter().filter_map(move |receipt| Some((receipt.node.as_str(), receipt.lists.get(one(receipt)?)?)))
}

fn said(crl: &TreeCrl) -> String {
    let row = crl_issue::row(crl, None, false);
    let print = crl.issue().map(|issue| crate::x509::certificate::hex(&issue.fingerprint, "").to_lowercase());
    format!("{} (SHA-256 {})", row.number.as_deref().unwrap_or("without a number"), print.unwrap_or_default())
}

type Changed = (Vec<Revoked>, Vec<Vec<u8>>, Vec<(String, CrlLine)>);

/// The entries of a list that a node has, as its authority has signed it; `None`: they cannot be told.
fn carried(list: &HeldList, issuer: &Certificate) -> Option<Vec<CrlLine>> {
    let der = base64::decode(list.crl.as_ref()?.as_bytes()).ok()?;
    let (crl, entries) = all_revoked(&der).ok()?;
    let number = crl.edition().filter(|number| Some(number) == list.issue().number.as_ref())?;
    let is_it = sha256(&der) == list.fingerprint.0 && !crl.delta && crl.scope.is_none();
    // Whose certificate a number is, a list does not say.
    let line = |one: &Revoked| {
        let verb = if one.is_hold() { "hold" } else { "revoke" };
        CrlLine::new(verb, &serial_text(&one.serial), issuer, &number, Some(one), one.at)
    };
    (is_it && crl.signed_by(&der, issuer).is_ok()).then(|| entries.iter().map(line).collect())
}

/// What the lines of the receipts, and the later lists in them, change on this list.
fn changes(
    session: &Session<'_>,
    crl: &TreeCrl,
    issuer: &Certificate,
    (given, later): (&[&Given], &[(&str, CrlLine)]),
    own: &[Line],
) -> Result<Changed, Error> {
    let of_issuer = |line: &'_ Line| match line {
        Line::Crl(line) if line.is_of(issuer) => Some((serial_of_hex(line.serial.as_deref()?)?, line.clone())),
        _ => None,
    };
    let mut said: BTreeMap<Vec<u8>, Vec<(Option<String>, CrlLine)>> = BTreeMap::new();
    for one in given {
        for (serial, line) in one.receipt.journal.iter().filter_map(of_issuer) {
            said.entry(serial).or_default().push((Some(one.receipt.node.clone()), line));
        }
    }
    for (node, line) in later {
        let Some(serial) = line.serial.as_deref().and_then(serial_of_hex) else { continue };
        said.entry(serial).or_default().push((Some((*node).to_owned()), line.clone()));
    }
    for (serial, line) in own.iter().filter_map(of_issuer) {
        said.entry(serial).and_modify(|lines| lines.push((None, line)));
    }
    let serials: Vec<&[u8]> = said.keys().map(Vec::as_slice).collect();
    let listed = crl.entries(&session.tree, &serials)?;
    let (mut additions, mut removals, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for ((serial, all), listed) in said.iter().zip(&listed) {
        let event = |(_, line): &(_, CrlLine)| Some(Event { at: instant(&line.time)?, entry: line.revoked(serial) });
        let events: Vec<Event> = all.iter().filter_map(event).collect();
        let wanted = match difference(listed.as_ref(), merged(listed.as_ref(), &events)) {
            Difference::None => continue,
            Difference::Add(entry) => Some(entry),
            Difference::Remove => None,
        };
        let says_so = |(node, line): &&(Option<String>, CrlLine)| node.is_some() && line.revoked(serial) == wanted;
        let by = all.iter().filter(says_so).max_by(|a, b| a.1.time.cmp(&b.1.time));
        lines.extend(by.and_then(|(node, line)| Some((node.clone()?, line.clone()))));
        match wanted {
            Some(entry) => additions.push(entry),
            None => removals.push(serial.clone()),
        }
    }
    Ok((additions, removals, lines))
}

impl Plan {
    /// How many entries come from this node.
    pub fn count(&self, node: &str) -> usize {
        self.lines.iter().filter(|(from, _)| from == node).count()
    }

    /// Signs the next issue; `None`: the key is not here.
    pub fn sign(
        &self,
        session: &Session<'_>,
        snapshot: &Snapshot,
        issuers: &Issuers,
    ) -> Result<Option<SignedCrlIssue>, Error> {
        let id = self.crl.authority;
        let state = snapshot.authorities.get(&id);
        if let Some(refusal) = state.and_then(|state| refusal(id, state, session.run.now)) {
            return Err(error::refused(&session.target.origin, &[refusal]));
        }
        let Some(issuer) = issuers.get(id).filter(|_| self.signable) else { return Ok(None) };
        let changes = Changes { additions: &self.additions, removals: &self.removals };
        self.crl.next_issue(session, snapshot, issuer, changes, false).map(Some)
    }

    /// The journal's lines for the issue.
    pub fn journal(&self, issue: &SignedCrlIssue, session: &Session<'_>, snapshot: &Snapshot) -> Vec<String> {
        let by_nodes = self.lines.iter().map(|(node, line)| Line::Crl(line.renumbered(&issue.number)).told_by(node));
        let lines: Vec<String> = by_nodes.collect();
        match lines.is_empty() {
            // The number alone has changed.
            true => issue.line(VERB, snapshot, session.run.now).into_iter().collect(),
            false => lines,
        }
    }

    pub fn row(&self, new: Option<&SignedCrlIssue>) -> CrlRow {
        let mut row = crl_issue::row(&self.crl, new, self.signable);
        if !self.signable {
            let why = format!("the key of {} is not in this tree: merge where it is", self.crl.authority.name());
            (row.action, row.why) = (Signing::Skipped, Some(why));
        }
        row
    }
}
