//! The CRLs of a tree: one for each authority, beside its certificate. CRL and journal together are the state: journal
//! entries that are missing from a CRL, because an older one was restored by hand, are in its next issue again.

use std::path::Path;

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{Credential, certificate_of};
use crate::plan::revoke::is_due;
use crate::plan::shipping::Issue;
use crate::revocation::{Number, Revoked};
use crate::tree::Authority;
use crate::tree::layout::Place;
use crate::workspace::journal::{self, Line};
use crate::workspace::remembered::{Remembered, remembered};
use crate::workspace::session::Session;
use crate::workspace::survey;
use crate::workspace::tree_dir::{Snapshot, TreeDir};
use crate::x509::{Certificate, Crl, CrlLookup, Wanted, sha256};
use crate::{files, inventory};

/// The CRL of one authority in the tree.
#[derive(Debug)]
pub struct TreeCrl {
    pub authority: CaId,
    pub(super) place: Place,
    /// For messages.
    pub path: String,
    pub(super) der: Option<Vec<u8>>,
    pub crl: Option<Crl>,
    pub(super) remembered: Remembered,
    /// It is inside its refresh window, and its authority's key is here.
    pub due: bool,
}

/// `pki/ca.crl` beside `pki/ca.crt`.
pub fn place(tree: &TreeDir, authority: CaId) -> Place {
    tree.directories.authority(authority).0.with_end(".crt", ".crl")
}

impl TreeCrl {
    pub fn read(tree: &TreeDir, authority: CaId, issuer: &Certificate, lines: &[Line]) -> Result<Self, Error> {
        let place = place(tree, authority);
        let (der, crl) = read_one(tree, &place)?.unzip();
        let number = crl.as_ref().and_then(Crl::edition);
        let remembered = remembered(lines, issuer, number.as_ref());
        Ok(Self { authority, path: place.shown(&tree.roots), place, der, crl, remembered, due: false })
    }

    /// Verifies the issuer's signature. [`Self::next_issue`] verifies it too.
    pub fn verify(&self, tree: &TreeDir, issuer: &Certificate) -> Result<(), Error> {
        let (Some(der), Some(crl)) = (&self.der, &self.crl) else { return Ok(()) };
        crl.signed_by(der, issuer).map_err(|why| error::bad_list(&self.place.full(&tree.roots), why))
    }

    /// The entries for these serial numbers, in their order, including those that only the journal has.
    pub fn entries(&self, tree: &TreeDir, serials: &[&[u8]]) -> Result<Vec<Option<Revoked>>, Error> {
        let wanted = Wanted::new(serials.iter().copied());
        let listed = self.der.as_deref().map(|der| CrlLookup::read(der, &wanted)).transpose();
        let listed = listed.map_err(|why| error::bad_list(&self.place.full(&tree.roots), why))?;
        let of_list = |serial: &[u8]| Some(listed.as_ref()?.named(serial)?.revoked.clone());
        let plain = crate::revocation::minimal_integer;
        let one = |serial: &&[u8]| match self.remembered.last.get(plain(serial)) {
            Some(last) => last.clone(),
            None => of_list(serial),
        };
        Ok(serials.iter().map(one).collect())
    }

    /// The next issue gets a number above this one, which another signer has given.
    pub fn above(&mut self, number: Number) {
        self.remembered.raise(number);
    }

    /// The list that is here; `None`: there is none.
    pub fn issue(&self) -> Option<Issue> {
        Some(Issue { number: self.crl.as_ref()?.edition(), fingerprint: sha256(self.der.as_deref()?) })
    }

    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        self.crl.as_ref().is_some_and(|crl| is_due(crl.this_update, crl.next_update, now))
    }
}

/// The one CRL in a file of the tree; `None`: there is no file.
pub fn read_one(tree: &TreeDir, place: &Place) -> Result<Option<(Vec<u8>, Crl)>, Error> {
    let full = place.full(&tree.roots);
    let refused = |why: String| error::bad_list(&full, why);
    let Some(dir) = survey::root(&tree.roots, place.root_id())? else { return Ok(None) };
    let found = match files::look_below(&dir, Path::new(&place.path)) {
        Ok(None) => return Ok(None),
        Ok(Some(source)) => inventory::crls(&source).map_err(|why| refused(why.to_string()))?,
        Err(kind) => return Err(refused(kind.to_string())),
    };
    let [der] =
        <[Vec<u8>; 1]>::try_from(found).map_err(|lists| refused(format!("expected one CRL, found {}", lists.len())))?;
    let crl = Crl::parse(&der).map_err(|why| refused(why.to_string()))?;
    Ok(Some((der, crl)))
}

/// Every CRL in a tree, and the entries of certificates.
#[derive(Debug, Default)]
pub struct TreeCrls {
    pub crls: Vec<TreeCrl>,
    /// One for each certificate, in their order.
    pub revoked: Vec<Option<Revoked>>,
    /// CRLs that cannot be used; they do not prevent a renewal.
    pub unusable: Vec<String>,
}

/// The CRL entries of these credentials, and which CRLs are due.
pub fn of_credentials(
    session: &Session<'_>,
    snapshot: &Snapshot,
    credentials: &[Credential],
) -> Result<TreeCrls, Error> {
    let certificates = || credentials.iter().map(|credential| certificate_of(credential, &snapshot.survey)).collect();
    let mut found = of_certificates(&session.tree, snapshot, credentials.len(), certificates)?;
    for crl in &mut found.crls {
        let local = snapshot.authorities.get(&crl.authority).is_some_and(Authority::is_local);
        crl.due = local && crl.is_due(session.run.now);
    }
    Ok(found)
}

/// The CRL entries of this number of certificates, which are asked for where there is a CRL only.
pub fn of_certificates(
    tree: &TreeDir,
    snapshot: &Snapshot,
    number: usize,
    certificates: impl FnOnce() -> Vec<Option<Certificate>>,
) -> Result<TreeCrls, Error> {
    let mut found = TreeCrls { revoked: vec![None; number], ..TreeCrls::default() };
    let dir = survey::root(&tree.roots, place(tree, CaId::Cluster).root_id())?;
    let is_there = |authority: &CaId| files::what(dir.as_ref(), Path::new(&place(tree, *authority).path)).is_some();
    let present: Vec<CaId> = CaId::ALL.into_iter().filter(|one| dir.is_some() && is_there(one)).collect();
    if present.is_empty() {
        return Ok(found);
    }
    let certificates = certificates();
    let lines = journal::read(&tree.roots)?;
    for authority in present {
        let Some(issuer) = snapshot.certificate(authority) else { continue };
        let read = TreeCrl::read(tree, authority, issuer, &lines);
        let crl = match read.and_then(|crl| crl.verify(tree, issuer).map(|()| crl)) {
            Ok(crl) => crl,
            Err(error) => {
                let why = error.why.first().map(|why| format!(": {why}")).unwrap_or_default();
                let path = place(tree, authority).shown(&tree.roots);
                found.unusable.push(format!("{path} cannot be used{why}; which certificates it revokes is not known"));
                continue;
            }
        };
        let issued = certificates.iter().enumerate().filter_map(|(index, one)| {
            let certificate = one.as_ref().filter(|one| one.names_issuer(issuer))?;
            Some((index, certificate.serial.as_slice()))
        });
        let (positions, serials): (Vec<usize>, Vec<&[u8]>) = issued.unzip();
        for (index, entry) in positions.into_iter().zip(crl.entries(tree, &serials)?) {
            if let Some(slot) = found.revoked.get_mut(index) {
                *slot = entry;
            }
        }
        found.crls.push(crl);
    }
    Ok(found)
}
