//! What the CRLs beside a tree's authorities say of its certificates. Only a CRL that its authority signed is believed, and no
//! key is needed. Whether a CRL is stale is reported as an item of its own: what it names is revoked all the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::crls::crls;
use super::item::Reading;
use super::object::ParsedObject;
use crate::catalog::CaId;
use crate::files::{self, FileState};
use crate::x509::crl_problem::Problem;
use crate::x509::revocation::{CrlIssuer, Strictness, vet};
use crate::x509::verify::Algorithms;
use crate::x509::{Certificate, CrlLookup, Wanted, parse_pem_bundle, same_name_der};

/// A bundle of authorities, in bytes.
const LARGEST: u64 = 4 << 20;

/// The CRLs of cluster directories, each read once for all nodes: of every authority the file that was read last.
#[derive(Debug, Default)]
pub struct SharedCrls(Mutex<BTreeMap<CaId, (PathBuf, Ders)>>);

type Ders = Arc<Vec<Vec<u8>>>;

impl SharedCrls {
    /// The DER of each CRL in a file; none if it cannot be read, which the tree of the cluster directory reports.
    pub fn read(&self, authority: CaId, path: &Path) -> Ders {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, ders)) = last.get(&authority).filter(|(read, _)| read == path) {
            return Arc::clone(ders);
        }
        let source = files::look(path).ok().flatten();
        let ders = Arc::new(source.and_then(|source| crls(&source).ok()).unwrap_or_default());
        last.insert(authority, (path.to_owned(), Arc::clone(&ders)));
        ders
    }
}

/// Marks the certificates that the newest believable of these CRLs names.
pub fn mark<'d, 'p>(
    issuer: &Certificate,
    ders: impl Iterator<Item = &'d Vec<u8>>,
    objects: impl Iterator<Item = &'p mut ParsedObject>,
) {
    // A tree has few issuers, and most names are the same byte by byte or not at all.
    let mut others: BTreeMap<Vec<u8>, bool> = BTreeMap::new();
    let mut is_issuer = |name: &Vec<u8>| {
        *name == issuer.subject_der
            || *others.entry(name.clone()).or_insert_with(|| same_name_der(name, &issuer.subject_der))
    };
    let mut objects: Vec<&mut ParsedObject> =
        objects.filter(|object| object.issuer().is_some_and(&mut is_issuer)).collect();
    let wanted = Wanted::new(objects.iter().filter_map(|object| object.serial()));
    let mut newest: Option<CrlLookup<'_>> = None;
    for der in ders {
        let Ok(lookup) = CrlLookup::read(der, &wanted) else { continue };
        let by =
            CrlIssuer { issuer, delegates: &[], strictness: Strictness::Lenient, algorithms: Algorithms::Kubernetes };
        let rank = |one: &CrlLookup<'_>| (one.crl.edition(), one.crl.this_update);
        // At the time of its own issue: later it is stale, which takes nothing back.
        let usable = vet(&lookup, der, by, lookup.crl.this_update).is_usable() && !lookup.crl.delta;
        if usable && newest.as_ref().is_none_or(|other| rank(&lookup) > rank(other)) {
            newest = Some(lookup);
        }
    }
    let Some(newest) = newest else { return };
    for object in &mut objects {
        let entry = object.serial().and_then(|serial| newest.named(serial));
        let revoked = entry.map(|entry| Box::new(entry.revoked.clone()));
        if let Reading::Certificate(facts) = &mut object.reading
            && (revoked.is_some() || facts.revoked.is_none())
        {
            facts.revoked = revoked;
        }
    }
}

/// Why the readers of an authority's CRL refuse it, or cannot do with it alone; `None`: they can, or it was not kept.
pub fn refused(issuer: &Certificate, der: &[u8]) -> Option<Problem> {
    let nothing = Wanted::new(std::iter::empty());
    let lookup = CrlLookup::read(der, &nothing).ok()?;
    let by = CrlIssuer { issuer, delegates: &[], strictness: Strictness::Lenient, algorithms: Algorithms::Kubernetes };
    vet(&lookup, der, by, lookup.crl.this_update)
        .problems()
        .iter()
        .find(|problem| problem.is_refused() || **problem == Problem::Delta)
        .cloned()
}

/// The certificates of an authority's file.
pub fn bundle(path: &Path) -> Option<Vec<Certificate>> {
    match files::read_input(path, LARGEST).ok()? {
        FileState::File { bytes, .. } => parse_pem_bundle(&bytes).ok(),
        FileState::Missing => None,
    }
}
