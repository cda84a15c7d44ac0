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
use crate::workspace::crls::TreeCrl;
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
    /// The authority's key is in this tree.
    is_local: bool,
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
        let Some(issuer) = snapshot.certificate(id) else { continue };
        let mut crl = TreeCrl::read(&session.tree, id, issuer, snapshot.bundle(id), lines)?;
        crl.verify(&session.tree)?;
        let ours = crl.issue();
        let (mut findings, mut other, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for (node, list) in of(id, receipts) {
            let theirs = list.issue();
            let listed = shipping::list(ours.as_ref(), Some(&theirs));
            theirs.number.into_iter().for_each(|number| crl.above(number));
            let is_apart = matches!(listed, Some(Listed::Ahead | Listed::Diverging));
            // An older one has entries that were lost here, if this directory is an older copy.
            if !is_apart && listed != Some(Listed::Older) {
                continue;
            }
            match theirs::read(list, brought, issuer, snapshot.bundle(id)) {
                Theirs::Entries(entries) => other.extend(entries.into_iter().map(|line| (node, line))),
                Theirs::Absent if is_apart => {
                    let (node, path) = (node.to_owned(), list.path.clone());
                    unknown.push(Unknown { node, path, too_large: list.crl_left_out });
                }
                Theirs::Absent => {}
                Theirs::Former | Theirs::Refused(_) => continue,
            }
            if is_apart {
                let here = ours.as_ref().map_or_else(|| "no list".to_owned(), |_| said(&crl));
                findings.push(format!("{} on {node} is {list}; here it is {here}", crl.path));
            }
        }
        let (additions, removals, lines) = changes(session, &crl, issuer, (signers, &other), lines)?;
        if findings.is_empty() && additions.is_empty() && removals.is_empty() {
            continue;
        }
        let is_local = snapshot.authorities.get(&id).is_some_and(Authority::is_local);
        plans.push(Plan { crl, additions, removals, lines, is_local, findings, unknown });
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

impl Plan {
    /// The next issue is signed here.
    pub fn signable(&self) -> bool {
        self.is_local && self.unknown.is_empty()
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
    ) -> Result<Option<SignedCrlIssue>, Error> {
        let id = self.crl.authority;
        let state = snapshot.authorities.get(&id);
        if let Some(refusal) = state.and_then(|state| refusal(id, state, session.run.now)) {
            return Err(error::refused(&session.target.origin, &[refusal]));
        }
        let Some(issuer) = issuers.get(id).filter(|_| self.signable()) else { return Ok(None) };
        let changes = Changes { additions: &self.additions, removals: &self.removals };
        self.crl.next_issue(session, snapshot, issuer, changes, Writing { der: false, earlier: &[] }).map(Some)
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
        let why = match (nodes.is_empty(), self.is_local) {
            (true, true) => return row,
            (true, false) => format!("the key of {} is not in this tree: merge where it is", self.crl.authority.name()),
            (false, _) => format!("what it revokes on {} is not in the receipt", nodes.join(", ")),
        };
        (row.action, row.why) = (Signing::Skipped, Some(why));
        row
    }
}
