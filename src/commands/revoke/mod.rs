//! `kpki revoke`, `hold`, `release`: who is meant, what the list says of it, refuse; under the lock look again, sign the next
//! edition of each list, publish.

mod chosen;
mod known;
mod notes;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;

use crate::ca::{Changes, Issuer};
use crate::catalog::CaId;
use crate::commands::crls::{self, SignedCrlIssue, TreeCrl};
use crate::commands::renew::tree::Tree;
use crate::commands::targets::{self, TargetQuery};
use crate::commands::{journal, renew};
use crate::error::{self, Error};
use crate::plan::decision::Survey;
use crate::plan::renew::{Signer, Signers, certificate_of, signers};
use crate::plan::revoke::{Change, RevocationRequest, Verb, decide};
use crate::report::revoke as report;
use crate::revocation::{Reason, Revoked};
use crate::store::{self, Commit, Locking, RootId, TreeLock};
use crate::x509::revocation::may_sign_lists;
use crate::x509::{Certificate, decimal};
use chosen::{Selected, Selector};

pub use notes::unread;

/// Which tree, and how.
#[derive(Debug, Clone)]
pub struct Place {
    pub dir: PathBuf,
    pub profile: Option<PathBuf>,
    pub hostname: Option<String>,
    /// Write DER beside PEM.
    pub der: bool,
    pub dry_run: bool,
    pub now: OffsetDateTime,
    pub lock_wait: Duration,
}

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub place: Place,
    pub verb: Verb,
    pub names: Vec<String>,
    pub certificate: Option<PathBuf>,
    /// With the authority it is a number of.
    pub serial: Option<(String, CaId)>,
    pub invalid_since: Option<OffsetDateTime>,
    pub unknown_serial: bool,
}

impl Place {
    /// The tree as `renew` sees it, which says what there is and where.
    pub fn renewal(&self) -> renew::Request {
        renew::Request {
            dirs: vec![self.dir.clone()],
            profiles: self.profile.iter().cloned().collect(),
            hostname: self.hostname.clone(),
            dry_run: self.dry_run,
            planned: false,
            lock_wait: self.lock_wait,
            ..renew::Request::looking(self.now)
        }
    }

    pub fn target(&self) -> Result<(targets::Target, Vec<String>), Error> {
        let profiles: Vec<PathBuf> = self.profile.iter().cloned().collect();
        let resolved = targets::resolve(&TargetQuery {
            paths: std::slice::from_ref(&self.dir),
            profiles: &profiles,
            fleet: None,
            kubelet_dir: None,
            hostname: self.hostname.as_deref(),
        })?;
        let target = resolved.targets.into_iter().next().ok_or_else(|| Error::usage("there is no tree"))?;
        Ok((target, resolved.warnings))
    }
}

/// The tree as it is, and what is to become of each entry.
struct Seen {
    survey: Survey,
    signers: Signers,
    chosen: Vec<Selected>,
    /// One for each that was chosen, in the same order.
    changes: Vec<Change>,
    lists: BTreeMap<CaId, TreeCrl>,
}

/// Revokes, holds or releases, or says exactly why not.
pub fn run(request: &Request) -> Result<report::Revocation, Error> {
    let (target, warnings) = request.place.target()?;
    let renewal = request.place.renewal();
    let tree = Tree::open(&renewal, &target)?;
    if request.place.dry_run {
        let seen = look(request, &tree)?;
        for (authority, list) in &seen.lists {
            list.verify(&tree, issuer(&seen.signers, *authority)?.certificate())?;
        }
        return report(request, &tree, &seen, &[], None, warnings);
    }
    if !store::pending(&tree.roots)? {
        // Who is not there is told before anything is locked.
        let survey = tree.survey()?;
        let signers = signers(&survey, &tree.directories);
        chosen(request, &tree, &survey, &signers)?;
    }
    let (hold, _) = TreeLock::acquire_and_recover(&tree.roots, request.place.lock_wait)?;
    let seen = look(request, &tree)?;
    let mut edited = sign(request, &tree, &seen)?;
    let generation = publish(request, &tree, &seen, &mut edited, &hold)?;
    report(request, &tree, &seen, &edited, generation, warnings)
}

fn chosen(request: &Request, tree: &Tree<'_>, survey: &Survey, signers: &Signers) -> Result<Vec<Selected>, Error> {
    let whom = Selector {
        names: &request.names,
        certificate: request.certificate.as_deref(),
        serial: request.serial.as_ref().map(|(serial, authority)| (serial.as_str(), *authority)),
        unknown_serial: request.unknown_serial,
    };
    chosen::choose(whom, tree, survey, signers)
}

fn issuer(signers: &Signers, authority: CaId) -> Result<&Issuer, Error> {
    match signers.get(&authority) {
        Some(Signer::Here(issuer)) => Ok(issuer),
        other => Err(error::no_signer(authority, other)),
    }
}

fn look(request: &Request, tree: &Tree<'_>) -> Result<Seen, Error> {
    let survey = tree.survey()?;
    let signers = signers(&survey, &tree.directories);
    let chosen = chosen(request, tree, &survey, &signers)?;
    let lines = crls::journal(tree)?;
    let mut lists = BTreeMap::new();
    let mut changes: Vec<Option<Change>> = vec![None; chosen.len()];
    let mut refusals = Vec::new();
    for authority in CaId::ALL {
        let of_it: Vec<(usize, &Selected)> =
            chosen.iter().enumerate().filter(|(_, one)| one.authority == authority).collect();
        if of_it.is_empty() {
            continue;
        }
        let list = TreeCrl::read(tree, authority, issuer(&signers, authority)?.certificate(), &lines)?;
        let serials: Vec<&[u8]> = of_it.iter().map(|(_, one)| one.serial.as_slice()).collect();
        let named = list.named(tree, &serials)?;
        for ((index, one), listed) in of_it.into_iter().zip(named) {
            let wish = RevocationRequest {
                verb: request.verb,
                serial: &one.serial,
                at: request.place.now,
                invalid_since: request.invalid_since,
            };
            match decide(wish, listed.as_ref()) {
                Ok(change) => {
                    if let Some(slot) = changes.get_mut(index) {
                        *slot = Some(change);
                    }
                }
                Err(refusal) => refusals.push((one.shown(), refusal)),
            }
        }
        lists.insert(authority, list);
    }
    if !refusals.is_empty() {
        return Err(error::refused_entries(request.verb.name(), &refusals));
    }
    let changes = changes.into_iter().map(|change| change.unwrap_or(Change::Nothing(None))).collect();
    Ok(Seen { survey, signers, chosen, changes, lists })
}

impl Seen {
    fn of(&self, authority: CaId) -> impl Iterator<Item = (&Selected, &Change)> {
        self.chosen.iter().zip(&self.changes).filter(move |(one, _)| one.authority == authority)
    }
}

/// The next edition of every list that changes, in memory. One that does not change is verified all the same: a list that is
/// not the authority's says nothing.
fn sign(request: &Request, tree: &Tree<'_>, seen: &Seen) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut edited = Vec::new();
    for (authority, list) in &seen.lists {
        let issuer = issuer(&seen.signers, *authority)?;
        let (mut additions, mut removals): (Vec<Revoked>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for (_, change) in seen.of(*authority) {
            match change {
                Change::Add(revoked) | Change::Harden(revoked) => additions.push(revoked.clone()),
                Change::Remove(revoked) => removals.push(revoked.serial.clone()),
                Change::Nothing(_) => {}
            }
        }
        if additions.is_empty() && removals.is_empty() {
            list.verify(tree, issuer.certificate())?;
            continue;
        }
        if let Some(refusal) =
            seen.signers.get(authority).and_then(|signer| signer.refusal(*authority, request.place.now))
        {
            return Err(error::refused(&tree.target.root, &[refusal]));
        }
        let changes = Changes { additions: &additions, removals: &removals };
        edited.push(list.next(tree, &seen.survey, issuer, changes, request.place.der)?);
    }
    Ok(edited)
}

fn publish(
    request: &Request,
    tree: &Tree<'_>,
    seen: &Seen,
    edited: &mut [SignedCrlIssue],
    hold: &TreeLock,
) -> Result<Option<String>, Error> {
    if edited.is_empty() {
        return Ok(None);
    }
    let (verb, now) = (request.verb.name(), request.place.now);
    let mut lines = Vec::new();
    let mut entries = Vec::new();
    for one in edited.iter() {
        let authority = issuer(&seen.signers, one.authority)?.certificate();
        for (chosen, change) in seen.of(one.authority) {
            let (Change::Add(revoked) | Change::Harden(revoked) | Change::Remove(revoked)) = change else { continue };
            lines.push(journal::list_line(verb, &chosen.shown(), authority, &one.number, Some(revoked), now));
            entries.push(chosen.shown());
        }
    }
    let receipt = store::publish(&Commit {
        roots: &tree.roots,
        changes: edited.iter_mut().flat_map(|one| std::mem::take(&mut one.changes)).collect(),
        removals: Vec::new(),
        journal: lines,
        note: Some(journal::note(verb, &entries, now)),
        keep_generations: Some(tree.keep_generations()),
        dir_mode: 0o755,
        generation: &journal::generation(verb, now),
        locking: Locking::Held(hold),
    })?;
    Ok(receipt.generation)
}

fn report(
    request: &Request,
    tree: &Tree<'_>,
    seen: &Seen,
    edited: &[SignedCrlIssue],
    generation: Option<String>,
    mut warnings: Vec<String>,
) -> Result<report::Revocation, Error> {
    let entries: Vec<report::RevocationEntry> =
        seen.chosen.iter().zip(&seen.changes).map(|(chosen, change)| entry(request.verb, chosen, change)).collect();
    let mut lists = Vec::new();
    for (authority, list) in &seen.lists {
        let issuer = issuer(&seen.signers, *authority)?;
        let new = edited.iter().find(|one| one.authority == *authority);
        let changes = seen.of(*authority).any(|(_, change)| !matches!(change, Change::Nothing(_)));
        lists.push(row(list, new, changes));
        if changes {
            warnings.extend(warning(list, new, issuer.certificate()));
        }
    }
    let lists_change = lists.iter().any(|list| list.action == report::Signing::Sign);
    let touched: Vec<CaId> = seen.lists.keys().copied().collect();
    Ok(report::Revocation {
        verb: request.verb.name(),
        dry_run: request.place.dry_run,
        directory: tree.target.root.display().to_string(),
        cluster: tree.target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        generation,
        entries,
        lists,
        in_use: in_use(request.verb, tree, seen),
        warnings,
        notes: if lists_change { notes::notes(request.verb, &touched, &tree.directories.pki) } else { Vec::new() },
    })
}

fn entry(verb: Verb, chosen: &Selected, change: &Change) -> report::RevocationEntry {
    let (action, says) = match (change, verb) {
        (Change::Nothing(says), _) => (report::Action::Unchanged, says.as_ref()),
        (Change::Remove(was), _) => (report::Action::Release, Some(was)),
        (Change::Add(says) | Change::Harden(says), Verb::Hold) => (report::Action::Hold, Some(says)),
        (Change::Add(says) | Change::Harden(says), _) => (report::Action::Revoke, Some(says)),
    };
    report::RevocationEntry {
        name: chosen.name.clone(),
        authority: chosen.authority.name(),
        serial: journal::serial_text(&chosen.serial).to_uppercase(),
        action,
        reason: says.map(|one| one.reason.unwrap_or(Reason::Unspecified).name().to_owned()),
        since: says.map(|one| one.at),
        invalid_since: says.and_then(|one| one.invalid_since),
    }
}

/// `new`: the edition that was signed; `changes`: there is one to be signed.
pub(in crate::commands) fn row(list: &TreeCrl, new: Option<&SignedCrlIssue>, changes: bool) -> report::CrlRow {
    let crl = new.map(|new| &new.crl).or(list.crl.as_ref());
    let paths = match new {
        Some(new) => new.paths.clone(),
        None => vec![list.path.clone()],
    };
    report::CrlRow {
        name: format!("{}.crl", list.authority.name()),
        action: if changes { report::Signing::Sign } else { report::Signing::Keep },
        why: None,
        number: crl.and_then(|crl| crl.number.as_deref()).map(decimal),
        this_update: crl.map(|crl| crl.this_update),
        next_update: crl.and_then(|crl| crl.next_update),
        entries: crl.map_or(0, |crl| crl.entries),
        paths,
    }
}

/// What is worth a warning about a list that is signed.
pub(in crate::commands) fn warning(
    list: &TreeCrl,
    new: Option<&SignedCrlIssue>,
    authority: &Certificate,
) -> Vec<String> {
    let mut lines = Vec::new();
    if !may_sign_lists(authority) {
        lines.push(notes::without_crl_sign(list.authority));
    }
    if let Some(new) = new.filter(|new| new.found_again > 0) {
        lines.push(format!(
            "{} was older than the journal: {} of its entries were lost and are on it again",
            list.path, new.found_again
        ));
    }
    lines
}

/// What lies in the tree with a certificate that the list now names.
fn in_use(verb: Verb, tree: &Tree<'_>, seen: &Seen) -> Vec<String> {
    if verb == Verb::Release {
        return Vec::new();
    }
    let named = |certificate: &Certificate| {
        seen.chosen.iter().any(|one| {
            let authority = seen.signers.get(&one.authority).and_then(Signer::certificate);
            one.serial == certificate.serial && authority.is_some_and(|by| by.subject_der == certificate.issuer_der)
        })
    };
    let used = tree.credentials.iter().filter(|one| certificate_of(one, &seen.survey).is_some_and(|it| named(&it)));
    used.map(crate::plan::renew::Credential::id).collect()
}

/// What a commit of lists writes, for those who publish them together with something else.
pub(in crate::commands) fn places(edited: &[SignedCrlIssue]) -> Vec<(RootId, crate::files::RelPath, bool)> {
    edited.iter().flat_map(|one| &one.changes).map(|change| (change.root, change.path.clone(), true)).collect()
}
