//! The lists of the authorities that nodes sign as well: their numbers, what was revoked and released there, and the next
//! issue that has all of it.

use super::events::changes;
use super::request::VERB;
use super::theirs::{self, Brought, Theirs};
use crate::ca::Changes;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::refusal;
use crate::plan::shipping::{self, Listed};
use crate::report::revoke::{CrlRow, Signing};
use crate::revocation::Revoked;
use crate::tree::{Authority, Issuers};
use crate::workspace::crl_issue::{self, SignedCrlIssue, Writing};
use crate::workspace::crls::{self, TreeCrl};
use crate::workspace::journal::{CrlLine, Line};
use crate::workspace::shipping::receipt::{HeldList, Receipt};
use crate::workspace::{Session, Snapshot};

/// One authority's list, which is to be issued anew.
pub struct Plan {
    pub crl: TreeCrl,
    additions: Vec<Revoked>,
    removals: Vec<Vec<u8>>,
    /// The nodes' lines that say so, each with its node.
    lines: Vec<(String, CrlLine)>,
    /// Why it cannot be signed in this run; `None`: the authority's key is here.
    away: Option<String>,
    /// Numbers and fingerprints that go apart.
    pub findings: Vec<String>,
    /// Nodes with a list that may revoke what is not known here: nothing is signed that would take its place.
    pub unknown: Vec<Unknown>,
}

/// A list that is not in its receipt.
pub struct Unknown {
    pub node: String,
    /// On the node.
    pub path: String,
    pub too_large: bool,
}

/// Those of the authorities whose list is another on a node, or lacks an entry. `receipts`: all that are known; `signers`: those of
/// nodes that sign lists themselves.
pub fn plans(
    session: &Session<'_>,
    snapshot: &Snapshot,
    signers: &[&Receipt],
    (receipts, brought): (&[Receipt], &Brought),
    lines: &[Line],
) -> Result<Vec<Plan>, Error> {
    let mut plans = Vec::new();
    for id in CaId::ALL {
        let all = TreeCrl::all(&session.tree, id, snapshot.bundle(id), lines)?;
        let here: Vec<[u8; 32]> = all.iter().filter_map(|crl| Some(crl.issue()?.fingerprint)).collect();
        for crl in all {
            let away = match (crls::can_be_signed(&session.tree, snapshot, &crl)?, snapshot.authorities.get(&id)) {
                (true, _) => None,
                (false, Some(Authority::Closed(_, why))) => Some(why.to_string()),
                (false, _) => Some(format!("the key of {} is not in this tree: merge where it is", id.name())),
            };
            // One that has never been an authority's has no list anywhere.
            if crl.is_of_signer() || crl.crl.is_some() || away.is_none() {
                plans.extend(plan(session, snapshot, signers, (receipts, brought), lines, (crl, away, &here))?);
            }
        }
        // A first list: readers that check every issuer refuse the clients of those without one.
        if plans.iter().any(|plan: &Plan| plan.crl.authority == id && plan.signable()) {
            for crl in TreeCrl::missing(&session.tree, snapshot, id, lines)? {
                if !plans.iter().any(|plan| plan.crl.id() == crl.id()) {
                    plans.push(Plan::of(crl));
                }
            }
        }
    }
    Ok(plans)
}

/// `here`: the fingerprints of all the lists in its file.
fn plan(
    session: &Session<'_>,
    snapshot: &Snapshot,
    signers: &[&Receipt],
    (receipts, brought): (&[Receipt], &Brought),
    lines: &[Line],
    (mut crl, away, here): (TreeCrl, Option<String>, &[[u8; 32]]),
) -> Result<Option<Plan>, Error> {
    let (id, issuer) = (crl.authority, crl.issuer.clone());
    crl.verify(&session.tree)?;
    let ours = crl.issue();
    let (mut findings, mut other, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for (node, list) in of(id, receipts).filter(|(_, list)| !here.contains(&list.fingerprint.0)) {
        let read = theirs::read(list, brought, &issuer, snapshot.bundle(id));
        // Whose one is that is not in the receipt nobody knows: it counts as the signer's.
        if matches!(read, Theirs::Former | Theirs::Refused(_)) || matches!(read, Theirs::Absent) && !crl.is_of_signer()
        {
            continue;
        }
        let theirs = list.issue();
        let listed = shipping::list(ours.as_ref(), Some(&theirs));
        theirs.number.into_iter().for_each(|number| crl.above(number));
        let is_apart = matches!(listed, Some(Listed::Ahead | Listed::Diverging));
        // An older one has entries that were lost here, if this directory is an older copy.
        if !is_apart && listed != Some(Listed::Older) {
            continue;
        }
        match read {
            Theirs::Entries(entries) => other.extend(entries.into_iter().map(|line| (node, line))),
            Theirs::Absent if is_apart => {
                let (node, path) = (node.to_owned(), list.path.clone());
                unknown.push(Unknown { node, path, too_large: list.crl_left_out });
            }
            Theirs::Absent | Theirs::Former | Theirs::Refused(_) => {}
        }
        if is_apart {
            let here = ours.as_ref().map_or_else(|| "no list".to_owned(), |_| said(&crl));
            findings.push(format!("{} on {node} is {list}; here it is {here}", crl.path));
        }
    }
    let (additions, removals, lines) = changes(session, &crl, &issuer, (signers, &other), lines)?;
    if findings.is_empty() && additions.is_empty() && removals.is_empty() {
        return Ok(None);
    }
    Ok(Some(Plan { crl, additions, removals, lines, away, findings, unknown }))
}

/// An authority's lists on each node, each with the node.
fn of(id: CaId, receipts: &[Receipt]) -> impl Iterator<Item = (&str, &HeldList)> {
    let all = receipts.iter().flat_map(|receipt| receipt.lists.iter().map(|list| (receipt.node.as_str(), list)));
    all.filter(move |(_, list)| list.authority == id.name())
}

fn said(crl: &TreeCrl) -> String {
    let row = crl_issue::row(crl, None, false);
    let print = crl.issue().map(|issue| crate::x509::certificate::hex(&issue.fingerprint, "").to_lowercase());
    format!("{} (SHA-256 {})", row.number.as_deref().unwrap_or("without a number"), print.unwrap_or_default())
}

impl Plan {
    /// The first issue of a list that nothing has changed.
    fn of(crl: TreeCrl) -> Self {
        let (additions, removals, lines) = (Vec::new(), Vec::new(), Vec::new());
        Self { crl, additions, removals, lines, away: None, findings: Vec::new(), unknown: Vec::new() }
    }

    /// The next issue is signed here.
    pub fn signable(&self) -> bool {
        self.away.is_none() && self.unknown.is_empty()
    }

    /// How many entries come from this node.
    pub fn count(&self, node: &str) -> usize {
        if !self.unknown.is_empty() {
            return 0;
        }
        self.lines.iter().filter(|(from, _)| from == node).count()
    }

    /// Signs the next issue; `None`: the key is not here.
    pub fn sign(
        &self,
        session: &Session<'_>,
        snapshot: &Snapshot,
        issuers: &Issuers,
        earlier: &[SignedCrlIssue],
    ) -> Result<Option<SignedCrlIssue>, Error> {
        let id = self.crl.authority;
        let state = snapshot.authorities.get(&id).filter(|_| self.crl.is_of_signer());
        if let Some(refusal) = state.and_then(|state| refusal(id, state, session.run.now)) {
            return Err(error::refused(&session.target.origin, &[refusal]));
        }
        let Some(issuer) = issuers.of(id, &self.crl.issuer).filter(|_| self.signable()) else { return Ok(None) };
        let changes = Changes { additions: &self.additions, removals: &self.removals };
        self.crl.next_issue(session, snapshot, issuer, changes, Writing { der: false, earlier }).map(Some)
    }

    /// The journal's lines for the issue.
    pub fn journal(&self, issue: &SignedCrlIssue, session: &Session<'_>) -> Vec<String> {
        let by_nodes = self.lines.iter().map(|(node, line)| Line::Crl(line.renumbered(&issue.number)).told_by(node));
        let lines: Vec<String> = by_nodes.collect();
        match lines.is_empty() {
            // The number alone has changed.
            true => vec![issue.line(VERB, session.run.now)],
            false => lines,
        }
    }

    pub fn row(&self, new: Option<&SignedCrlIssue>) -> CrlRow {
        let mut row = crl_issue::row(&self.crl, new, self.signable());
        let nodes: Vec<&str> = self.unknown.iter().map(|one| one.node.as_str()).collect();
        let why = match (nodes.is_empty(), &self.away) {
            (true, None) => return row,
            (true, Some(why)) => why.clone(),
            (false, _) => format!("what it revokes on {} is not in the receipt", nodes.join(", ")),
        };
        (row.action, row.why) = (Signing::Skipped, Some(why));
        row
    }
}
