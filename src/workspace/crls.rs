//! The CRLs of a tree: one for each authority, beside its certificate. CRL and journal together are the state: journal
//! entries that are missing from a CRL, because an older one was restored by hand, are in its next issue again.

use std::path::Path;

use time::OffsetDateTime;

use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::files;
use crate::plan::renew::{Credential, certificate_of};
use crate::plan::revoke::is_due;
use crate::plan::shipping::Issue;
use crate::revocation::{Number, Revoked};
use crate::tree::Authority;
use crate::tree::layout::Place;
use crate::workspace::crl_file::{self, List};
use crate::workspace::journal::{self, Line};
use crate::workspace::remembered::{Remembered, remembered};
use crate::workspace::rotation::former;
use crate::workspace::session::Session;
use crate::workspace::survey;
use crate::workspace::tree_dir::{Snapshot, TreeDir};
use crate::x509::{Certificate, Crl, CrlLookup, Wanted, sha256};

/// The CRL of one authority in the tree.
#[derive(Debug)]
pub struct TreeCrl {
    pub authority: CaId,
    /// Whose list it is. While an authority is being replaced its file has a list of the old and one of the new certificate.
    pub issuer: Certificate,
    pub(super) place: Place,
    /// For messages.
    pub path: String,
    pub(super) der: Option<Vec<u8>>,
    pub crl: Option<Crl>,
    /// Its issuer's place in the authority's file.
    pub(super) rank: usize,
    /// The authority's file has several certificates.
    pub(super) is_shared: bool,
    /// The lists of the others in the same file.
    pub(super) beside: Vec<Beside>,
    pub(super) remembered: Remembered,
    /// It is inside its refresh window, and its authority's key is here.
    pub due: bool,
}

/// Another list of the same file.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    /// Its issuer's place in the authority's file.
    pub rank: usize,
    /// Since when its issuer is valid.
    pub since: OffsetDateTime,
    pub der: Vec<u8>,
}

/// `pki/ca.crl` beside `pki/ca.crt`.
pub fn place(tree: &TreeDir, authority: CaId) -> Place {
    tree.directories.authority(authority).0.with_end(".crt", ".crl")
}

impl TreeCrl {
    /// The list of one certificate of an authority. `trusted`: every certificate in its file, the signer first.
    pub fn read(
        tree: &TreeDir,
        authority: CaId,
        issuer: &Certificate,
        trusted: &[Certificate],
        lines: &[Line],
    ) -> Result<Self, Error> {
        let lists = Lists::read(tree, authority, trusted)?;
        let rank = trusted.iter().position(|one| one.der == issuer.der).unwrap_or_default();
        Ok(lists.one(tree, (rank, issuer), trusted, lines))
    }

    /// The list of each certificate in the authority's file, the signer's first, whether there is one or not.
    pub fn all(tree: &TreeDir, authority: CaId, trusted: &[Certificate], lines: &[Line]) -> Result<Vec<Self>, Error> {
        let lists = Lists::read(tree, authority, trusted)?;
        Ok(trusted.iter().enumerate().map(|one| lists.one(tree, one, trusted, lines)).collect())
    }

    /// Those of its lists that are not there and can be signed here.
    pub fn missing(tree: &TreeDir, snapshot: &Snapshot, authority: CaId, lines: &[Line]) -> Result<Vec<Self>, Error> {
        let mut missing = Vec::new();
        for crl in Self::all(tree, authority, snapshot.bundle(authority), lines)? {
            if crl.crl.is_none() && can_be_signed(tree, snapshot, &crl)? {
                missing.push(crl);
            }
        }
        Ok(missing)
    }

    /// Verifies the issuer's signature. [`Self::next_issue`] verifies it too.
    pub fn verify(&self, tree: &TreeDir) -> Result<(), Error> {
        let (Some(der), Some(crl)) = (&self.der, &self.crl) else { return Ok(()) };
        crl.signed_by(der, &self.issuer).map_err(|why| error::bad_list(&self.place.full(&tree.roots), why))
    }

    /// There is one, of an issuer at one of these places in the authority's file.
    pub fn is_among(&self, ranks: &[usize]) -> bool {
        self.crl.is_some() && ranks.contains(&self.rank)
    }

    /// Its authority, and its issuer's place in the authority's file.
    pub const fn id(&self) -> (CaId, usize) {
        (self.authority, self.rank)
    }

    /// It is of the certificate that signs now.
    pub const fn is_of_signer(&self) -> bool {
        self.rank == 0
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

    /// It is inside its refresh window; or its file has the lists of others and not this one, so that readers that check every
    /// issuer refuse its clients.
    pub fn is_due(&self, now: OffsetDateTime) -> bool {
        match &self.crl {
            Some(crl) => is_due(crl.this_update, crl.next_update, now),
            None => !self.beside.is_empty(),
        }
    }

    /// Whose it is, where one file has the lists of several.
    pub fn of_whom(&self) -> Option<String> {
        self.is_shared.then(|| self.issuer.subject.to_string())
    }
}

/// The lists of one authority's file.
struct Lists {
    authority: CaId,
    place: Place,
    /// Each with its issuer's place in the authority's file.
    all: Vec<(usize, List)>,
}

impl Lists {
    fn read(tree: &TreeDir, authority: CaId, trusted: &[Certificate]) -> Result<Self, Error> {
        let place = place(tree, authority);
        let lists = crl_file::read(tree, &place)?;
        let whose = crl_file::whose(&lists, trusted).map_err(|why| error::bad_list(&place.full(&tree.roots), why))?;
        // One of somebody else counts as the signer's, and does not verify.
        let ranks = whose.into_iter().map(Option::unwrap_or_default);
        Ok(Self { authority, place, all: ranks.zip(lists).collect() })
    }

    fn one(
        &self,
        tree: &TreeDir,
        (rank, issuer): (usize, &Certificate),
        trusted: &[Certificate],
        lines: &[Line],
    ) -> TreeCrl {
        let own = self.all.iter().find(|(of, _)| *of == rank).map(|(_, list)| list.clone());
        let (der, crl) = own.map(|list| (list.der, list.crl)).unzip();
        let others = self.all.iter().filter(|(of, _)| *of != rank);
        let number = crl.as_ref().and_then(Crl::edition);
        TreeCrl {
            authority: self.authority,
            issuer: issuer.clone(),
            path: self.place.shown(&tree.roots),
            place: self.place.clone(),
            der,
            crl,
            rank,
            is_shared: trusted.len() > 1,
            beside: others
                .map(|(rank, list)| Beside {
                    rank: *rank,
                    since: trusted.get(*rank).map_or(issuer.not_before, |one| one.not_before),
                    der: list.der.clone(),
                })
                .collect(),
            remembered: remembered(lines, issuer, number.as_ref()),
            due: false,
        }
    }
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
        crl.due = crl.is_due(session.run.now) && can_be_signed(&session.tree, snapshot, crl)?;
    }
    Ok(found)
}

/// The key of its issuer is here: the authority's own, or the one that is kept of the authority before it.
pub fn can_be_signed(tree: &TreeDir, snapshot: &Snapshot, crl: &TreeCrl) -> Result<bool, Error> {
    if crl.is_of_signer() {
        return Ok(snapshot.authorities.get(&crl.authority).is_some_and(Authority::is_local));
    }
    has_previous_key(tree, crl.authority, &crl.issuer)
}

/// The key of the authority before the one that signs is kept, or is where the profile names it, and is this certificate's.
pub fn has_previous_key(tree: &TreeDir, authority: CaId, issuer: &Certificate) -> Result<bool, Error> {
    Ok(former::of((&tree.roots, &tree.keys), authority, std::slice::from_ref(issuer))?.is_some())
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
        let trusted = snapshot.bundle(authority);
        let lists = TreeCrl::all(tree, authority, trusted, &lines);
        let lists = lists.and_then(|lists| lists.iter().try_for_each(|crl| crl.verify(tree)).map(|()| lists));
        let lists = match lists {
            Ok(lists) => lists,
            Err(error) => {
                let why = error.why.first().map(|why| format!(": {why}")).unwrap_or_default();
                let path = place(tree, authority).shown(&tree.roots);
                found.unusable.push(format!("{path} cannot be used{why}; which certificates it revokes is not known"));
                continue;
            }
        };
        for crl in lists {
            let issued = certificates.iter().enumerate().filter_map(|(index, one)| {
                let certificate = one.as_ref().filter(|one| is_of(one, &crl.issuer, trusted))?;
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
    }
    Ok(found)
}

/// The certificate names this authority; of several with one name it is the one that signed it.
fn is_of(certificate: &Certificate, issuer: &Certificate, trusted: &[Certificate]) -> bool {
    let named = trusted.iter().filter(|one| certificate.names_issuer(one)).count();
    certificate.names_issuer(issuer) && (named < 2 || certificate.signed_by(issuer).is_ok())
}
