//! `kpki crl update`: the next edition of each list, its entries as they are.

use crate::ca::Changes;
use crate::catalog::CaId;
use crate::commands::crls::{self, SignedCrlIssue, TreeCrl};
use crate::commands::journal;
use crate::commands::renew::tree::Tree;
use crate::commands::revoke::{Place, places, row, warning};
use crate::error::{self, Error};
use crate::plan::decision::Survey;
use crate::plan::renew::{Signer, Signers};
use crate::report::revoke as report;
use crate::store::{self, Commit, Locking, TreeLock};

const VERB: &str = "crl-update";

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub place: Place,
    /// Empty: all.
    pub authorities: Vec<CaId>,
    /// Only lists that are inside their refresh window.
    pub due: bool,
}

/// What is to become of one authority's list.
struct Seen {
    list: TreeCrl,
    sign: bool,
    /// Why it is not, where that is a gap.
    left: Option<String>,
}

pub fn run(request: &Request) -> Result<report::Revocation, Error> {
    let (target, mut warnings) = request.place.target()?;
    let renewal = request.place.renewal();
    let tree = Tree::open(&renewal, &target)?;
    let mut edited = Vec::new();
    let mut generation = None;
    let (survey, signers) = tree.read()?;
    let mut seen = look(request, &tree, &signers)?;
    let idle = |seen: &[Seen]| !seen.iter().any(|one| one.sign);
    if request.place.dry_run {
        for one in seen.iter().filter(|one| one.sign) {
            if let Some(issuer) = signers.get(&one.list.authority).and_then(Signer::certificate) {
                one.list.verify(&tree, issuer)?;
            }
        }
    } else if !idle(&seen) || store::pending(&tree.roots)? {
        let (hold, _) = TreeLock::acquire_and_recover(&tree.roots, request.place.lock_wait)?;
        seen = look(request, &tree, &signers)?;
        edited =
            sign(&tree, &survey, &signers, seen.iter().filter(|one| one.sign).map(|one| &one.list), request.place.der)?;
        store::check_writable(&tree.roots, &places(&edited))?;
        generation = publish(&tree, &signers, &mut edited, &hold)?;
    }
    let mut lists = Vec::new();
    for one in &seen {
        let new = edited.iter().find(|new| new.authority == one.list.authority);
        let mut row = row(&one.list, new, one.sign);
        if let Some(why) = &one.left {
            (row.action, row.why) = (report::Signing::Skipped, Some(why.clone()));
        }
        lists.push(row);
        if let Some(issuer) = signers.get(&one.list.authority).and_then(Signer::certificate).filter(|_| one.sign) {
            warnings.extend(warning(&one.list, new, issuer));
        }
    }
    Ok(report::Revocation {
        verb: "crl update",
        dry_run: request.place.dry_run,
        directory: tree.target.root.display().to_string(),
        cluster: tree.target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        generation,
        lists,
        warnings,
        ..report::Revocation::default()
    })
}

fn look(request: &Request, tree: &Tree<'_>, signers: &Signers) -> Result<Vec<Seen>, Error> {
    let lines = crls::journal(tree)?;
    let named = !request.authorities.is_empty();
    let mut all = Vec::new();
    for authority in CaId::ALL {
        if named && !request.authorities.contains(&authority) {
            continue;
        }
        let signer = signers.get(&authority);
        let Some(issuer) = signer.and_then(Signer::certificate) else {
            if named {
                return Err(error::no_signer(authority, signer));
            }
            continue;
        };
        let list = TreeCrl::read(tree, authority, issuer, &lines)?;
        let wanted = if request.due { list.is_due(request.place.now) } else { true };
        match signer {
            Some(Signer::Here(_)) => {
                if let Some(refusal) =
                    signer.filter(|_| wanted).and_then(|signer| signer.refusal(authority, request.place.now))
                {
                    return Err(error::refused(&tree.target.root, &[refusal]));
                }
                all.push(Seen { list, sign: wanted, left: None });
            }
            other if named && wanted => return Err(error::no_signer(authority, other)),
            // Somebody else signs, and nobody here would notice that they stopped.
            _ if list.is_due(request.place.now) => {
                let why = format!("the key of {} is not here", authority.name());
                all.push(Seen { list, sign: false, left: Some(why) });
            }
            _ if list.crl.is_some() => all.push(Seen { list, sign: false, left: None }),
            _ => {}
        }
    }
    if request.due {
        all.retain(|one| one.list.crl.is_some());
    }
    Ok(all)
}

/// The next edition of these lists, in memory.
pub(in crate::commands) fn sign<'l>(
    tree: &Tree<'_>,
    survey: &Survey,
    signers: &Signers,
    lists: impl Iterator<Item = &'l TreeCrl>,
    der: bool,
) -> Result<Vec<SignedCrlIssue>, Error> {
    let mut edited = Vec::new();
    for list in lists {
        match signers.get(&list.authority) {
            Some(Signer::Here(issuer)) => edited.push(list.next(tree, survey, issuer, Changes::default(), der)?),
            other => return Err(error::no_signer(list.authority, other)),
        }
    }
    Ok(edited)
}

/// The journal's lines for new editions whose entries stayed.
pub(in crate::commands) fn lines(
    command: &str,
    signers: &Signers,
    edited: &[SignedCrlIssue],
    now: time::OffsetDateTime,
) -> Vec<String> {
    let line = |one: &SignedCrlIssue| {
        let issuer = signers.get(&one.authority).and_then(Signer::certificate)?;
        Some(journal::list_line(command, &format!("{}.crl", one.authority.name()), issuer, &one.number, None, now))
    };
    edited.iter().filter_map(line).collect()
}

fn publish(
    tree: &Tree<'_>,
    signers: &Signers,
    edited: &mut [SignedCrlIssue],
    hold: &TreeLock,
) -> Result<Option<String>, Error> {
    if edited.is_empty() {
        return Ok(None);
    }
    let now = tree.request.now;
    let names: Vec<String> = edited.iter().map(|one| format!("{}.crl", one.authority.name())).collect();
    let receipt = store::publish(&Commit {
        roots: &tree.roots,
        changes: edited.iter_mut().flat_map(|one| std::mem::take(&mut one.changes)).collect(),
        removals: Vec::new(),
        journal: lines(VERB, signers, edited, now),
        note: Some(journal::note(VERB, &names, now)),
        keep_generations: Some(tree.keep_generations()),
        dir_mode: 0o755,
        generation: &journal::generation(VERB, now),
        locking: Locking::Held(hold),
    })?;
    Ok(receipt.generation)
}
