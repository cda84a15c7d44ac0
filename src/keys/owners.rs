//! Whose key a source holds, while the profile names two for one authority: the one of today, and the one that is to take its
//! place or has just done so. The record of the rotation says which source made which authority.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::catalog::CaId;
use crate::profile::{AuthorityOptions, Profile, Signing};
use crate::tree::rotation::{Identity, KeyPlace, Record};
use crate::x509::Certificate;

/// Which source of an authority is the key of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Of authorities.NAME itself.
    Own,
    /// Of authorities.NAME.next.
    Next,
    /// The source that is recorded is not in the profile any more.
    Unknown,
}

#[derive(Debug)]
pub struct Owners {
    /// What the profile names for each, and for the one after it.
    stated: BTreeMap<CaId, (Option<String>, Option<String>)>,
    /// By the authority and the digest of its public key: the source that is recorded for it.
    recorded: Mutex<BTreeMap<(CaId, String), String>>,
}

impl Owners {
    pub fn stated(profile: Option<&Profile>) -> Self {
        let all = profile.into_iter().flat_map(|profile| &profile.authorities);
        let named = |by: &Option<Signing>| by.as_ref().and_then(Signing::place);
        let one = |(authority, options): (&CaId, &AuthorityOptions)| {
            (*authority, (named(&options.signing), named(&options.next)))
        };
        Self { stated: all.map(one).collect(), recorded: Mutex::default() }
    }

    /// What is recorded now.
    pub fn learn(&self, record: &Record) {
        let rotations = record
            .rotations
            .iter()
            .flat_map(|one| [(one.authority, &one.old, &one.old_key), (one.authority, &one.new, &one.new_key)]);
        let retired = record.retired.iter().map(|one| (one.authority, &one.new, &one.new_key));
        let one = |(rotating, of, place): (crate::tree::rotation::Rotating, &Vec<Identity>, &KeyPlace)| {
            let (KeyPlace::Source(source), Some(first)) = (place, of.first()) else { return None };
            Some(((rotating.authority()?, first.public_key.clone()), source.clone()))
        };
        // What is in progress says more than what is over.
        let all = retired.chain(rotations).filter_map(one).collect();
        *self.recorded.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }

    pub fn of(&self, authority: CaId, certificate: &Certificate) -> Owner {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.is_empty() {
            return Owner::Own;
        }
        let known = recorded.get(&(authority, Identity::of_certificate(certificate).public_key));
        match (known, self.stated.get(&authority)) {
            (None, _) => Owner::Own,
            (Some(source), Some((Some(own), _))) if own == source => Owner::Own,
            (Some(source), Some((_, Some(next)))) if next == source => Owner::Next,
            (Some(_), _) => Owner::Unknown,
        }
    }

    /// The source that is recorded for the key of this certificate.
    pub fn recorded(&self, authority: CaId, certificate: &Certificate) -> Option<String> {
        let recorded = self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.get(&(authority, Identity::of_certificate(certificate).public_key)).cloned()
    }

    /// The source of an authority's key, if it is no file of the tree.
    pub fn own(&self, authority: CaId) -> Option<&str> {
        self.stated.get(&authority)?.0.as_deref()
    }

    /// The one that the profile names for the authority after it.
    pub fn next(&self, authority: CaId) -> Option<&str> {
        self.stated.get(&authority)?.1.as_deref()
    }
}
