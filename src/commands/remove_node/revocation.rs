//! The node's certificates on the CRLs of their authorities.

use crate::ca::Changes;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::revoke::{Change, RevocationRequest, Verb, decide};
use crate::report::revoke as report;
use crate::revocation::{Reason, Revoked};
use crate::store::{FileChange, RootId};
use crate::tree::entry_path::entry_of_path;
use crate::tree::{Authority, Issuers, leaf};
use crate::workspace::crl_issue::{self, SignedCrlIssue, Writing};
use crate::workspace::crls::{self, TreeCrl};
use crate::workspace::issued::{self, Issued};
use crate::workspace::journal::{self, serial_text};
use crate::workspace::{Session, Snapshot, survey};
use crate::x509::parse_pem_bundle;
use std::collections::BTreeSet;

/// RFC 5280: it is no longer needed, and nothing says that its key is compromised.
const REASON: Reason = Reason::CessationOfOperation;

/// What a node's files hold that can be revoked.
pub struct Held {
    pub name: String,
    pub authority: CaId,
    /// Its issuer's place in the authority's file.
    rank: usize,
    pub serial: Vec<u8>,
    /// Only the journal knows it.
    of_journal: bool,
}

impl Held {
    /// Which list it is for.
    const fn list(&self) -> (CaId, usize) {
        (self.authority, self.rank)
    }
}

#[derive(Default)]
pub struct Revocation {
    pub entries: Vec<report::RevocationEntry>,
    pub lists: Vec<report::CrlRow>,
    /// The nodes that are to have them.
    pub nodes: BTreeSet<String>,
    /// What is not revoked, and why.
    pub left: Vec<String>,
    /// Every file of the lists, also where nothing is signed.
    pub places: Vec<(RootId, RelPath)>,
    pub changes: Vec<FileChange>,
    pub journal: Vec<String>,
    pub warnings: Vec<String>,
}

/// Every certificate in the node's files, whatever entry it is of, and what the journal knows to be issued to it. Those of other
/// issuers are left out, and named.
pub fn held(
    session: &Session<'_>,
    snapshot: &Snapshot,
    files: &[(RootId, RelPath)],
    node: &str,
) -> Result<(Vec<Held>, Vec<String>), Error> {
    let (mut held, mut left): (Vec<Held>, Vec<String>) = (Vec::new(), Vec::new());
    for (root, path) in files.iter().filter(|(root, _)| *root == RootId::Main) {
        let Some(bytes) = survey::read(&session.tree.roots, *root, path)? else { continue };
        let bundle = parse_pem_bundle(&bytes).ok().or_else(|| leaf::embedded(&bytes));
        let Some(certificate) = bundle.and_then(|bundle| bundle.into_iter().next()).filter(|one| !one.is_ca) else {
            continue;
        };
        let name = entry_of_path(path.as_str()).map_or_else(|| path.to_string(), |id| id.to_string());
        let rank = |id: CaId| snapshot.bundle(id).iter().position(|by| certificate.issued_by(by).is_ok());
        match CaId::ALL.into_iter().find_map(|id| Some((id, rank(id)?))) {
            Some((authority, rank)) if snapshot.authorities.get(&authority).is_some_and(Authority::is_local) => {
                add(&mut held, Held { name, authority, rank, serial: certificate.serial, of_journal: false });
            }
            Some((authority, _)) => {
                left.push(format!("{name}: the key of its authority {} is not here", authority.name()))
            }
            None => left.push(format!("{name}: its issuer is {}", certificate.issuer)),
        }
    }
    let (known, elsewhere) = issued::of_node(&journal::read(&session.tree.roots)?, node, snapshot, session.run.now);
    for Issued { name, authority, rank, serial } in known {
        add(&mut held, Held { name, authority, rank, serial, of_journal: true });
    }
    left.extend(elsewhere);
    // The authority before the one that signs has a list as long as its key is kept.
    let mut of_former = BTreeSet::new();
    for list in held.iter().map(Held::list).filter(|(_, rank)| *rank > 0).collect::<BTreeSet<_>>() {
        let issuer = snapshot.bundle(list.0).get(list.1);
        if !issuer.map(|by| crls::has_previous_key(&session.tree, list.0, by)).transpose()?.unwrap_or_default() {
            of_former.insert(list);
        }
    }
    let (lost, held): (Vec<Held>, Vec<Held>) = held.into_iter().partition(|one| of_former.contains(&one.list()));
    left.extend(
        lost.iter()
            .map(|one| format!("{}: the key of its issuer, a former {}, is not here", one.name, one.authority.name())),
    );
    Ok((held, left))
}

fn add(held: &mut Vec<Held>, new: Held) {
    if !held.iter().any(|one| one.list() == new.list() && one.serial == new.serial) {
        held.push(new);
    }
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
    let mut issues: Vec<SignedCrlIssue> = Vec::new();
    for (authority, rank) in held.iter().map(Held::list).collect::<BTreeSet<_>>() {
        let own: Vec<&Held> = held.iter().filter(|one| one.list() == (authority, rank)).collect();
        let Some(signer) = snapshot.bundle(authority).get(rank) else { continue };
        let crl = TreeCrl::read(&session.tree, authority, signer, snapshot.bundle(authority), &lines)?;
        let serials: Vec<&[u8]> = own.iter().map(|one| one.serial.as_slice()).collect();
        let mut additions: Vec<(&Held, Revoked)> = Vec::new();
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
        if additions.is_empty() {
            continue;
        }
        let revoked: Vec<Revoked> = additions.iter().map(|(_, entry)| entry.clone()).collect();
        let issue = match issuers.and_then(|issuers| issuers.of(authority, signer)) {
            Some(issuer) => {
                let changes = Changes { additions: &revoked, removals: &[] };
                Some(crl.next_issue(session, snapshot, issuer, changes, Writing { der: false, earlier: &issues })?)
            }
            None => {
                crl.verify(&session.tree)?;
                None
            }
        };
        for (pem, der) in crl_issue::files_of(session, snapshot, authority, false) {
            for place in std::iter::once(pem).chain(der) {
                done.places.push((place.root_id(), RelPath::parse(place.path)?));
            }
        }
        done.nodes.extend(crl_issue::nodes(session, snapshot, &[authority]));
        done.lists.push(crl_issue::row(&crl, issue.as_ref(), true));
        done.warnings.extend(crl_issue::warnings(&crl, issue.as_ref(), signer, now));
        if let Some(issue) = issue {
            let line = |(one, entry): &(&Held, Revoked)| {
                journal::crl_line(command, &one.name, signer, &issue.number, Some(entry), now)
            };
            done.journal.extend(additions.iter().map(line));
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
