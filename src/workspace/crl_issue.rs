//! The next issue of a CRL: signed in memory, with every file it is written to and the journal's line for it.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::ca::{self, CaError, Changes, Issuer, SignedCrl};
use crate::catalog::CaId;
use crate::clock::rfc3339;
use crate::encoding::crl;
use crate::error::{self, Error};
use crate::files::{self, FileState, RelPath};
use crate::inventory;
use crate::report::{crl_readers, revoke as report};
use crate::revocation::{CrlIssue, Number, RevocationList};
use crate::store::{self, FileChange, RootId};
use crate::tree::{Issuers, Place};
use crate::workspace::crls::{Beside, TreeCrl, place};
use crate::workspace::journal;
use crate::workspace::session::Session;
use crate::workspace::tree_dir::Snapshot;
use crate::x509::revocation::may_sign_lists;
use crate::x509::{Certificate, Crl, decimal};

/// The mode of every CRL file and of every copy.
const MODE: u32 = 0o644;

/// The next issue.
#[derive(Debug)]
pub struct SignedCrlIssue {
    pub authority: CaId,
    /// Who signed it.
    pub issuer: Certificate,
    pub rank: usize,
    /// Where its file may have lists of others, too.
    der: Option<Vec<u8>>,
    pub crl: Crl,
    pub number: Number,
    pub changes: Vec<FileChange>,
    /// Every file, the CRL's own first.
    pub paths: Vec<String>,
    /// Entries that are in the journal but were missing from the CRL.
    pub found_again: usize,
}

impl TreeCrl {
    /// Signs the next issue.
    pub fn next_issue(
        &self,
        session: &Session<'_>,
        snapshot: &Snapshot,
        issuer: &Issuer,
        changes: Changes<'_>,
        writing: Writing<'_>,
    ) -> Result<SignedCrlIssue, Error> {
        let now = session.run.now;
        let full = self.place.full(&session.tree.roots);
        if issuer.certificate().der != self.issuer.der {
            return Err(error::list_not_signed(&full, CaError::KeyMismatch { position: None }));
        }
        let before = self.number(session)?;
        let number = match &before {
            None => Number::from(1),
            Some(before) => before.next().ok_or_else(|| error::no_number_left(&full))?,
        };
        let edition =
            CrlIssue { number, this_update: now, next_update: now.saturating_add(session.crl_validity().duration()) };
        let taken = |serial: &Vec<u8>| {
            let same = |other: &[u8]| crate::revocation::minimal_integer(other) == serial.as_slice();
            changes.additions.iter().any(|one| same(&one.serial)) || changes.removals.iter().any(|one| same(one))
        };
        let (mut additions, mut removals) = (changes.additions.to_vec(), changes.removals.to_vec());
        let mut found_again = 0usize;
        for (serial, last) in self.remembered.last.iter().filter(|(serial, _)| !taken(serial)) {
            found_again = found_again.saturating_add(1);
            match last {
                Some(revoked) => additions.push(revoked.clone()),
                None => removals.push(serial.clone()),
            }
        }
        let signed = match &self.der {
            None => ca::sign_crl(&RevocationList { edition: edition.clone(), revoked: additions }, issuer),
            Some(old) => {
                let changes = Changes { additions: &additions, removals: &removals };
                ca::resign_crl(old, changes, &edition, issuer)
            }
        };
        let signed = signed.map_err(|why| error::list_not_signed(&full, why))?;
        let found_again = if self.der.is_some() || before.is_some() { found_again } else { 0 };
        let content = self.with_others(&signed, writing.earlier);
        let changes = files(session, snapshot, self.authority, content, writing.der)?;
        let roots = &session.tree.roots;
        let paths = changes.iter().map(|change| roots.shown(change.root, &change.path)).collect();
        Ok(SignedCrlIssue {
            authority: self.authority,
            issuer: self.issuer.clone(),
            rank: self.rank,
            der: self.is_shared.then_some(signed.der),
            crl: signed.crl,
            number: edition.number,
            changes,
            paths,
            found_again,
        })
    }

    /// Every list of its file with this one.
    fn with_others<'l>(&'l self, signed: &'l SignedCrl, earlier: &'l [SignedCrlIssue]) -> Content {
        let is_other = |one: &&SignedCrlIssue| one.authority == self.authority && one.rank != self.rank;
        let newer: Vec<&SignedCrlIssue> = earlier.iter().filter(is_other).collect();
        let stays = |one: &&Beside| !newer.iter().any(|new| new.rank == one.rank);
        let beside = self.beside.iter().filter(stays);
        let mut all: Vec<Listed<'_>> =
            beside.map(|one| Listed { rank: one.rank, since: one.since, der: &one.der }).collect();
        let listed = |one: &&'l SignedCrlIssue| {
            Some(Listed { rank: one.rank, since: one.issuer.not_before, der: one.der.as_deref()? })
        };
        all.extend(newer.iter().filter_map(listed));
        if all.is_empty() {
            return Content { pem: Zeroizing::new(signed.to_pem().into_bytes()), der: signed.der.clone() };
        }
        all.push(Listed { rank: self.rank, since: self.issuer.not_before, der: &signed.der });
        Content::of(all)
    }

    /// The files of the lists of one authority as they are, of these issuers only.
    pub fn rewritten(
        session: &Session<'_>,
        snapshot: &Snapshot,
        authority: CaId,
        kept: &[&Self],
    ) -> Result<Vec<FileChange>, Error> {
        let listed = kept
            .iter()
            .filter_map(|crl| Some(Listed { rank: crl.rank, since: crl.issuer.not_before, der: crl.der.as_deref()? }));
        files(session, snapshot, authority, Content::of(listed.collect()), false)
    }

    /// Without the lists of others than these issuers.
    #[must_use]
    pub fn beside_only(mut self, issuers: &[usize]) -> Self {
        self.beside.retain(|one| issuers.contains(&one.rank));
        self
    }

    /// The highest CRL number known: of the CRL, of the journal, and of the generations if there is no CRL.
    fn number(&self, session: &Session<'_>) -> Result<Option<Number>, Error> {
        let own = self.crl.as_ref().and_then(Crl::edition);
        let kept = if self.crl.is_none() { kept(session, &self.place, &self.issuer)? } else { None };
        Ok(own.max(kept).max(self.remembered.number.clone()))
    }
}

/// How the files of an issue are written.
#[derive(Debug, Clone, Copy)]
pub struct Writing<'a> {
    /// DER as well.
    pub der: bool,
    /// What was signed in the same run: another list of the same file has a new issue, too.
    pub earlier: &'a [SignedCrlIssue],
}

/// The next issue of these CRLs, with the same entries.
pub fn reissue<'l>(
    session: &Session<'_>,
    snapshot: &Snapshot,
    issuers: &Issuers,
    crls: impl Iterator<Item = &'l TreeCrl>,
    der: bool,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut issues = Vec::new();
    for crl in crls {
        let issuer = issuers.of(crl.authority, &crl.issuer).ok_or_else(|| {
            error::no_signer(crl.authority, snapshot.authorities.get(&crl.authority), &session.target.origin)
        })?;
        let writing = Writing { der, earlier: &issues };
        let issue = crl.next_issue(session, snapshot, issuer, Changes::default(), writing)?;
        add(&mut issues, issue);
    }
    Ok(issues)
}

/// One more issue of a run. Of a file with several lists the last issue has them all.
pub fn add(issues: &mut Vec<SignedCrlIssue>, issue: SignedCrlIssue) {
    for earlier in issues.iter_mut() {
        earlier.changes.retain(|one| !issue.changes.iter().any(|new| new.root == one.root && new.path == one.path));
    }
    issues.push(issue);
}

impl SignedCrlIssue {
    /// The list alone, in DER, where its file has lists of others, too.
    pub fn list(&self) -> Option<Vec<u8>> {
        self.der.clone()
    }

    /// As [`TreeCrl::id`].
    pub const fn id(&self) -> (CaId, usize) {
        (self.authority, self.rank)
    }

    /// The name for reports and the journal.
    pub fn name(&self) -> String {
        format!("{}.crl", self.authority.name())
    }

    /// The journal's line for an issue with unchanged entries.
    pub fn line(&self, command: &str, now: OffsetDateTime) -> String {
        journal::crl_line(command, &self.name(), &self.issuer, &self.number, None, now)
    }
}

/// The files and journal lines that a commit of these issues writes.
pub fn places(issues: &[SignedCrlIssue]) -> Vec<(RootId, RelPath, bool)> {
    let changes = issues.iter().flat_map(|issue| &issue.changes);
    changes.map(|change| (change.root, change.path.clone(), change.replace)).collect()
}

/// `new`: the issue that was signed; `changes`: there is one to be signed.
pub fn row(crl: &TreeCrl, new: Option<&SignedCrlIssue>, changes: bool) -> report::CrlRow {
    let content = new.map(|new| &new.crl).or(crl.crl.as_ref());
    report::CrlRow {
        name: format!("{}.crl", crl.authority.name()),
        issuer: crl.of_whom(),
        action: if changes { report::Signing::Sign } else { report::Signing::Keep },
        why: None,
        number: content.and_then(|crl| crl.number.as_deref()).map(decimal),
        this_update: content.map(|crl| crl.this_update),
        next_update: content.and_then(|crl| crl.next_update),
        entries: content.map_or(0, |crl| crl.entries),
        paths: new.map_or_else(|| vec![crl.path.clone()], |new| new.paths.clone()),
    }
}

/// The warning about a CRL of the future, whose next issue is signed. Numbers go on, and say which one is newer (RFC 5280
/// section 5.2.3); thisUpdate is when the CRL is issued (section 5.1.2.4), so it may be earlier than before.
pub fn of_the_future(crl: &TreeCrl, now: OffsetDateTime) -> Option<String> {
    let this_update = crl.crl.as_ref().map(|crl| crl.this_update).filter(|this_update| *this_update > now)?;
    Some(format!(
        "{} had the thisUpdate {}, and now it is {}: the clock was wrong then, or is now; its next issue has a higher number \
         and the date of now; replace every copy, because some readers go by the date",
        crl.path,
        rfc3339(this_update),
        rfc3339(now)
    ))
}

/// Warnings about a CRL that is signed.
pub fn warnings(
    crl: &TreeCrl,
    new: Option<&SignedCrlIssue>,
    authority: &Certificate,
    now: OffsetDateTime,
) -> Vec<String> {
    let mut lines: Vec<String> = of_the_future(crl, now).into_iter().collect();
    if !may_sign_lists(authority) {
        lines.push(crl_readers::without_crl_sign(crl.authority));
    }
    if let Some(new) = new.filter(|new| new.found_again > 0) {
        lines.push(format!(
            "{} was older than the journal; lost entries that are on it again: {}",
            crl.path, new.found_again
        ));
    }
    lines
}

/// The highest CRL number in the generations.
fn kept(session: &Session<'_>, place: &Place, issuer: &Certificate) -> Result<Option<Number>, Error> {
    let mut highest = None;
    for generation in store::generations(&session.tree.roots)? {
        let (root, path) = (place.root_id(), place.path.as_str());
        if !generation.kept.iter().any(|(of, kept)| *of == root && kept.as_str() == path) {
            continue;
        }
        let file = session.tree.generation_dir(&generation.name).join(root.name()).join(path);
        let number = files::look(&file).ok().flatten().and_then(|source| {
            let crl = inventory::walk_crl(&source, &mut |_| Ok(())).ok()?;
            crl.names_issuer(issuer).then(|| crl.edition()).flatten()
        });
        highest = highest.max(number);
    }
    Ok(highest)
}

/// The nodes of a cluster directory that have a copy of these authorities' lists, and are to have the new one by an archive.
pub fn nodes(session: &Session<'_>, snapshot: &Snapshot, authorities: &[CaId]) -> BTreeSet<String> {
    let holds = |place: &Place| matches!(snapshot.survey.get(place), Some(FileState::File { .. }));
    let copies = if session.is_exported() { session.copies() } else { Vec::new() };
    let copies = copies.into_iter().filter(|(_, of, place)| authorities.contains(of) && holds(place));
    copies.map(|(node, ..)| node).collect()
}

/// The CRL files, PEM and DER of each place: beside the authority, and beside each node's copy of the authority in a cluster
/// directory. DER is written if requested, and an existing DER file is always updated; of etcd always, which reads nothing else
/// from 3.6 on.
pub fn files_of(
    session: &Session<'_>,
    snapshot: &Snapshot,
    authority: CaId,
    wanted: bool,
) -> Vec<(Place, Option<Place>)> {
    let holds = |place: &Place| matches!(snapshot.survey.get(place), Some(FileState::File { .. }));
    let copies = session.copies().into_iter().filter(|(_, of, place)| *of == authority && holds(place));
    let copies = copies.map(|(.., copy)| copy.with_end(".crt", ".crl"));
    let with_der = |place: Place| {
        let der = place.with_end("", ".der");
        let is_there = || files::what(None, &der.full(&session.tree.roots)).is_some();
        let writes = wanted || authority == CaId::Etcd || is_there();
        (place, writes.then_some(der))
    };
    std::iter::once(place(&session.tree, authority)).chain(copies).map(with_der).collect()
}

/// One list of a file.
struct Listed<'l> {
    rank: usize,
    since: OffsetDateTime,
    der: &'l [u8],
}

/// What the files of an authority's lists hold.
struct Content {
    /// Every list, the signer's first.
    pem: Zeroizing<Vec<u8>>,
    /// One list: of the authority that was made first. etcd compares serial numbers alone and reads no other; those of the later
    /// one are of 128 bits at random.
    der: Vec<u8>,
}

impl Content {
    fn of(mut lists: Vec<Listed<'_>>) -> Self {
        lists.sort_by_key(|one| one.rank);
        let pem: String = lists.iter().map(|one| crl::to_pem(one.der)).collect();
        let first = lists.iter().min_by_key(|one| one.since);
        Self { pem: Zeroizing::new(pem.into_bytes()), der: first.map(|one| one.der.to_vec()).unwrap_or_default() }
    }
}

fn files(
    session: &Session<'_>,
    snapshot: &Snapshot,
    authority: CaId,
    Content { pem, der }: Content,
    wanted: bool,
) -> Result<Vec<FileChange>, Error> {
    let places = files_of(session, snapshot, authority, wanted);
    let mut changes = Vec::new();
    let mut left = places.len();
    let mut pem = Some(pem);
    for (place, beside) in places {
        left = left.saturating_sub(1);
        // The last file takes the bytes without a copy: a CRL may have tens of megabytes.
        let bytes = if left == 0 { pem.take() } else { pem.clone() };
        changes.push(place.change(MODE, bytes.unwrap_or_default())?);
        changes.extend(beside.map(|beside| beside.change(MODE, Zeroizing::new(der.to_vec()))).transpose()?);
    }
    Ok(changes)
}
