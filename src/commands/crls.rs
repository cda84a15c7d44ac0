//! The revocation lists of a tree: one for each authority, beside its certificate. The list and the journal are the state:
//! entries of the journal that a list put back by hand has lost are on its next edition again.

use std::path::Path;

use serde_json::Value;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::ca::{self, Changes, Issuer};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::commands::journal::{self, Remembered};
use crate::commands::renew::tree::Tree;
use crate::commands::survey;
use crate::error::{self, Error};
use crate::files::{self, RelPath};
use crate::inventory;
use crate::plan::decision::{FileState, Survey};
use crate::plan::layout::Place;
use crate::plan::renew::{Signer, Signers, authority_places, certificate_of};
use crate::plan::revoke::is_due;
use crate::profile::CRL_VALIDITY;
use crate::revocation::{CrlIssue, Number, RevocationList, Revoked};
use crate::store::{self, FileChange, RootId};
use crate::x509::{Certificate, Crl, CrlLookup, Wanted};

/// Of every list, and of every copy.
const MODE: u32 = 0o644;

/// The list of one authority as it lies in the tree.
#[derive(Debug)]
pub struct TreeCrl {
    pub authority: CaId,
    pub path: String,
    der: Option<Vec<u8>>,
    pub crl: Option<Crl>,
    remembered: Remembered,
    /// It is inside its refresh window, and its authority's key is here.
    pub due: bool,
}

/// The next edition, with every file it is written to.
#[derive(Debug)]
pub struct SignedCrlIssue {
    pub authority: CaId,
    pub crl: Crl,
    pub number: Number,
    pub changes: Vec<FileChange>,
    /// Every file, the list's own first.
    pub paths: Vec<String>,
    /// Entries of the journal that the list had lost.
    pub found_again: usize,
}

/// `pki/ca.crl` beside `pki/ca.crt`.
pub fn path(tree: &Tree<'_>, authority: CaId) -> String {
    beside(&authority_places(authority, &tree.directories).0)
}

fn beside(certificate: &Place) -> String {
    format!("{}.crl", certificate.path.strip_suffix(".crt").unwrap_or(&certificate.path))
}

/// Every line of the journal that is JSON.
pub fn journal(tree: &Tree<'_>) -> Result<Vec<Value>, Error> {
    Ok(store::journal(&tree.roots)?.iter().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

impl TreeCrl {
    pub fn read(tree: &Tree<'_>, authority: CaId, issuer: &Certificate, lines: &[Value]) -> Result<Self, Error> {
        let path = path(tree, authority);
        let full = tree.roots.main.join(&path);
        let refused = |why: String| error::bad_list(&full, why);
        let der = match survey::open(&tree.roots.main)? {
            None => None,
            Some(dir) => match files::look_below(&dir, Path::new(&path)) {
                Ok(None) => None,
                Ok(Some(source)) => Some(inventory::crls(&source).map_err(|why| refused(why.to_string()))?),
                Err(kind) => return Err(refused(kind.to_string())),
            },
        };
        let der = match der.map(<[Vec<u8>; 1]>::try_from) {
            None => None,
            Some(Ok([only])) => Some(only),
            Some(Err(lists)) => return Err(refused(format!("expected one CRL, found {}", lists.len()))),
        };
        let crl = der.as_deref().map(Crl::parse).transpose().map_err(|why| refused(why.to_string()))?;
        let number = crl.as_ref().and_then(Crl::edition);
        let remembered = journal::remembered(lines, issuer, number.as_ref());
        Ok(Self { authority, path, der, crl, remembered, due: false })
    }

    /// Its issuer signed it. [`Self::next`] finds this out by itself.
    pub fn verify(&self, tree: &Tree<'_>, issuer: &Certificate) -> Result<(), Error> {
        let (Some(der), Some(crl)) = (&self.der, &self.crl) else { return Ok(()) };
        crl.signed_by(der, issuer).map_err(|why| error::bad_list(&tree.roots.main.join(&self.path), why))
    }

    /// What it says of these serial numbers, in their order; what it has lost and the journal knows counts.
    pub fn named(&self, tree: &Tree<'_>, serials: &[&[u8]]) -> Result<Vec<Option<Revoked>>, Error> {
        let wanted = Wanted::new(serials.iter().copied());
        let listed = self.der.as_deref().map(|der| CrlLookup::read(der, &wanted)).transpose();
        let listed = listed.map_err(|why| error::bad_list(&tree.roots.main.join(&self.path), why))?;
        let of_list = |serial: &[u8]| Some(listed.as_ref()?.named(serial)?.revoked.clone());
        let plain = crate::revocation::minimal_integer;
        let one = |serial: &&[u8]| match self.remembered.last.get(plain(serial)) {
            Some(last) => last.clone(),
            None => of_list(serial),
        };
        Ok(serials.iter().map(one).collect())
    }

    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.crl.as_ref().is_some_and(|crl| is_due(crl.this_update, crl.next_update, now))
    }

    /// Signs the next edition.
    pub fn next(
        &self,
        tree: &Tree<'_>,
        survey: &Survey,
        issuer: &Issuer,
        changes: Changes<'_>,
        der: bool,
    ) -> Result<SignedCrlIssue, Error> {
        let now = tree.request.now;
        let full = tree.roots.main.join(&self.path);
        if let Some(crl) = self.crl.as_ref().filter(|crl| crl.this_update > now) {
            return Err(error::list_of_tomorrow(&full, crl.this_update, now));
        }
        let before = self.number(tree)?;
        let number = match &before {
            None => Number::from(1),
            Some(before) => before.next().ok_or_else(|| error::no_number_left(&full))?,
        };
        let validity = tree.target.profile.as_ref().map_or(CRL_VALIDITY, |profile| profile.crl_validity);
        let edition = edition(number, now, validity);
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
        let pem = Zeroizing::new(signed.to_pem().into_bytes());
        let changes = files(tree, survey, self.authority, pem, &signed.der, der)?;
        let paths = changes.iter().map(|change| change.path.to_string()).collect();
        Ok(SignedCrlIssue {
            authority: self.authority,
            crl: signed.crl,
            number: edition.number,
            changes,
            paths,
            found_again,
        })
    }

    /// The highest number anybody has seen: the list's, the journal's, and for want of a list a generation's.
    fn number(&self, tree: &Tree<'_>) -> Result<Option<Number>, Error> {
        let own = self.crl.as_ref().and_then(Crl::edition);
        let kept = if self.crl.is_none() { kept(tree, &self.path)? } else { None };
        Ok(own.max(kept).max(self.remembered.number.clone()))
    }
}

/// Every list that lies in a tree, and what they say.
#[derive(Debug, Default)]
pub struct TreeCrls {
    pub lists: Vec<TreeCrl>,
    /// Of each credential, in the tree's order.
    pub said: Vec<Option<Revoked>>,
    /// Lists that nothing can be told from: they are no reason not to renew.
    pub unusable: Vec<String>,
}

/// What the lists of a tree say of its credentials.
pub fn all(tree: &Tree<'_>, survey: &Survey, signers: &Signers) -> Result<TreeCrls, Error> {
    let mut found = TreeCrls { said: vec![None; tree.credentials.len()], ..TreeCrls::default() };
    let dir = survey::open(&tree.roots.main)?;
    let there = |authority: &CaId| files::what(dir.as_ref(), Path::new(&path(tree, *authority))).is_some();
    let lying: Vec<CaId> = CaId::ALL.into_iter().filter(there).collect();
    if lying.is_empty() {
        return Ok(found);
    }
    let lines = journal(tree)?;
    let certificates: Vec<Option<Certificate>> =
        tree.credentials.iter().map(|credential| certificate_of(credential, survey)).collect();
    for authority in lying {
        let signer = signers.get(&authority);
        let Some(issuer) = signer.and_then(Signer::certificate) else { continue };
        let read = TreeCrl::read(tree, authority, issuer, &lines);
        let mut list = match read.and_then(|list| list.verify(tree, issuer).map(|()| list)) {
            Ok(list) => list,
            Err(error) => {
                let why = error.why.first().map(|why| format!(": {why}")).unwrap_or_default();
                found
                    .unusable
                    .push(format!("{} cannot be used{why}; what it names is not known", path(tree, authority)));
                continue;
            }
        };
        let of_it = certificates.iter().enumerate().filter_map(|(index, one)| {
            let certificate = one.as_ref().filter(|one| one.issuer_der == issuer.subject_der)?;
            Some((index, certificate.serial.as_slice()))
        });
        let (positions, serials): (Vec<usize>, Vec<&[u8]>) = of_it.unzip();
        for (index, named) in positions.into_iter().zip(list.named(tree, &serials)?) {
            if let Some(slot) = found.said.get_mut(index) {
                *slot = named;
            }
        }
        list.due = matches!(signer, Some(Signer::Here(_))) && list.is_due(tree.request.now);
        found.lists.push(list);
    }
    Ok(found)
}

fn edition(number: Number, now: OffsetDateTime, validity: Span) -> CrlIssue {
    CrlIssue { number, this_update: now, next_update: now.saturating_add(validity.duration()) }
}

/// The highest number among the editions that generations keep.
fn kept(tree: &Tree<'_>, path: &str) -> Result<Option<Number>, Error> {
    let mut highest = None;
    for generation in store::generations(&tree.roots)? {
        if !generation.kept.iter().any(|(root, kept)| *root == RootId::Main && kept.as_str() == path) {
            continue;
        }
        let file = tree.roots.main.join(".kpki/generations").join(&generation.name).join("main").join(path);
        let number = files::look(&file).ok().flatten().and_then(|source| {
            let crl = inventory::walk_crl(&source, &mut |_| Ok(())).ok()?;
            crl.edition()
        });
        highest = highest.max(number);
    }
    Ok(highest)
}

/// The list beside its authority, and beside each copy of the authority that the nodes of a cluster directory hold. DER is
/// written where it is asked for, and kept up to date where it lies.
fn files(
    tree: &Tree<'_>,
    survey: &Survey,
    authority: CaId,
    pem: Zeroizing<Vec<u8>>,
    der: &[u8],
    wanted: bool,
) -> Result<Vec<FileChange>, Error> {
    let holds = |place: &Place| matches!(survey.get(place), Some(FileState::File { .. }));
    let copies = tree.copies().into_iter().filter(|(_, of, place)| *of == authority && holds(place));
    let paths = std::iter::once(path(tree, authority)).chain(copies.map(|(.., place)| beside(&place)));
    let dir = survey::open(&tree.roots.main)?;
    let mut changes = Vec::new();
    let change = |path: &str, bytes| -> Result<FileChange, Error> {
        Ok(FileChange { root: RootId::Main, path: RelPath::parse(path)?, mode: MODE, bytes, replace: true })
    };
    let paths: Vec<String> = paths.collect();
    let mut left = paths.len();
    let mut pem = Some(pem);
    for path in paths {
        left = left.saturating_sub(1);
        // The last one takes the bytes along: a list may have tens of megabytes.
        let bytes = if left == 0 { pem.take() } else { pem.clone() };
        changes.push(change(&path, bytes.unwrap_or_default())?);
        let beside = format!("{path}.der");
        if wanted || files::what(dir.as_ref(), Path::new(&beside)).is_some() {
            changes.push(change(&beside, Zeroizing::new(der.to_vec()))?);
        }
    }
    Ok(changes)
}
