//! The node's certificates on the CRLs of their authorities.

use super::held::Held;
use crate::ca::Changes;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::revoke::{Change, RevocationRequest, Verb, decide};
use crate::report::revoke as report;
use crate::revocation::{Reason, Revoked};
use crate::store::{FileChange, RootId};
use crate::tree::Issuers;
use crate::workspace::crl_issue::{self, SignedCrlIssue, Writing};
use crate::workspace::crls::TreeCrl;
use crate::workspace::journal::{self, serial_text};
use crate::workspace::{Session, Snapshot};
use std::collections::{BTreeMap, BTreeSet};

/// RFC 5280: it is no longer needed, and nothing says that its key is compromised.
const REASON: Reason = Reason::CessationOfOperation;

/// The entries that a list gets, each with its certificate.
type Additions<'h> = Vec<(&'h Held, Revoked)>;

#[derive(Default)]
pub struct Revocation {
    pub entries: Vec<report::RevocationEntry>,
    pub lists: Vec<report::CrlRow>,
    /// The nodes that are to have them.
    pub nodes: BTreeSet<String>,
    /// The authorities whose keys sign them.
    pub signers: BTreeSet<CaId>,
    /// What is not revoked, and why.
    pub left: Vec<String>,
    /// Every file of the lists, also where nothing is signed.
    pub places: Vec<(RootId, RelPath)>,
    pub changes: Vec<FileChange>,
    pub journal: Vec<String>,
    pub warnings: Vec<String>,
}

/// `issuers`: to sign with; `None`: what would be signed.
pub fn revoke(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuers: Option<&Issuers>,
    (held, left): (Vec<Held>, Vec<String>),
    command: &str,
) -> Result<Revocation, Error> {
    let mut done = Revocation { left, ..Revocation::default() };
    let (lines, now) = (journal::read(&session.tree.roots)?, session.run.now);
    // Each list with what is added to it.
    let mut lists: BTreeMap<(CaId, usize), (TreeCrl, Additions<'_>)> = BTreeMap::new();
    for (authority, rank) in held.iter().map(Held::list).collect::<BTreeSet<_>>() {
        let own: Vec<&Held> = held.iter().filter(|one| one.list() == (authority, rank)).collect();
        let Some(signer) = snapshot.bundle(authority).get(rank) else { continue };
        let crl = TreeCrl::read(&session.tree, authority, signer, snapshot.bundle(authority), &lines)?;
        let serials: Vec<&[u8]> = own.iter().map(|one| one.serial.as_slice()).collect();
        let mut additions: Additions<'_> = Vec::new();
        for (one, listed) in own.iter().zip(crl.entries(&session.tree, &serials)?) {
            let serial = &one.serial;
            let wanted = RevocationRequest { verb: Verb::Revoke(Some(REASON)), serial, at: now, invalid_since: None };
            let (action, entry) = match decide(wanted, listed.as_ref()) {
                Ok(Change::Add(new) | Change::MakePermanent(new)) => (report::Action::Revoke, Some(new)),
                // What is revoked already keeps its reason.
                _ => (report::Action::Unchanged, listed),
            };
            if one.of_journal && action == report::Action::Unchanged {
                continue;
            }
            done.entries.push(row(one, action, entry.as_ref()));
            additions.extend(entry.filter(|_| action == report::Action::Revoke).map(|entry| (*one, entry)));
        }
        if !additions.is_empty() {
            lists.insert((authority, rank), (crl, additions));
        }
    }
    let authorities: BTreeSet<CaId> = lists.keys().map(|(authority, _)| *authority).collect();
    for authority in &authorities {
        // A first list: readers that check every issuer refuse the clients of those without one.
        for crl in TreeCrl::missing(&session.tree, snapshot, *authority, &lines)? {
            lists.entry(crl.id()).or_insert((crl, Vec::new()));
        }
        for (pem, der) in crl_issue::files_of(session, snapshot, *authority, false) {
            for place in std::iter::once(pem).chain(der) {
                done.places.push((place.root_id(), RelPath::parse(place.path)?));
            }
        }
        done.nodes.extend(crl_issue::nodes(session, snapshot, &[*authority]));
    }
    done.signers = lists.keys().filter(|list| list.1 == 0).map(|(authority, _)| *authority).collect();
    let mut issues: Vec<SignedCrlIssue> = Vec::new();
    for (crl, additions) in lists.values() {
        let revoked: Vec<Revoked> = additions.iter().map(|(_, entry)| entry.clone()).collect();
        let issue = match issuers.and_then(|issuers| issuers.of(crl.authority, &crl.issuer)) {
            Some(issuer) => {
                let changes = Changes { additions: &revoked, removals: &[] };
                Some(crl.next_issue(session, snapshot, issuer, changes, Writing { der: false, earlier: &issues })?)
            }
            None => {
                crl.verify(&session.tree)?;
                None
            }
        };
        done.lists.push(crl_issue::row(crl, issue.as_ref(), true));
        done.warnings.extend(crl_issue::warnings(crl, issue.as_ref(), &crl.issuer, now));
        if let Some(issue) = issue {
            let line = |(one, entry): &(&Held, Revoked)| {
                journal::crl_line(command, &one.name, &crl.issuer, &issue.number, Some(entry), now)
            };
            done.journal.extend(additions.iter().map(line));
            if additions.is_empty() {
                done.journal.push(issue.line(command, now));
            }
            crl_issue::add(&mut issues, issue);
        }
    }
    done.changes.extend(issues.into_iter().flat_map(|issue| issue.changes));
    Ok(done)
}

impl Revocation {
    /// The lists of a node that goes are removed with it, and not issued again.
    pub fn without(mut self, node: &str) -> Self {
        let below = format!("nodes/{node}/");
        let is_its = |root: RootId, path: &RelPath| root == RootId::Main && path.as_str().starts_with(&below);
        self.nodes.remove(node);
        self.changes.retain(|change| !is_its(change.root, &change.path));
        self.places.retain(|(root, path)| !is_its(*root, path));
        self.lists.iter_mut().for_each(|list| list.paths.retain(|path| !path.starts_with(&below)));
        self
    }
}

fn row(one: &Held, action: report::Action, entry: Option<&Revoked>) -> report::RevocationEntry {
    report::RevocationEntry {
        name: Some(one.name.clone()),
        authority: one.authority.name(),
        serial: serial_text(&one.serial).to_uppercase(),
        action,
        reason: entry.map(|one| one.reason.unwrap_or(Reason::Unspecified).name().to_owned()),
        since: entry.map(|one| one.at),
        invalid_since: entry.and_then(|one| one.invalid_since),
    }
}
