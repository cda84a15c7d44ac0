//! How long certificates were meant to live and of which kind their keys are, as the existing ones were issued.

use std::collections::BTreeMap;

use time::Duration;

use super::cluster::{Guess, leaves, most};
use super::member::Member;
use super::shared::Shared;
use crate::blueprint::Algorithm;
use crate::ca::PrivateKey;
use crate::catalog::{ENTRIES, Entry, find};
use crate::clock::Span;
use crate::plan::blueprints::BACK_DATE;
use crate::plan::renew::{Lifetime, lifetime};
use crate::profile::Profile;
use crate::x509::{Certificate, KeyKind};

/// What existing certificates say, for the profile; what they do not say is a guess.
pub fn set(profile: &mut Profile, members: &[Member], shared: &Shared, etcd: bool) -> Vec<Guess> {
    let mut guesses = Vec::new();
    let entries: Vec<&Entry> = ENTRIES
        .iter()
        .filter(|entry| entry.signer.is_some() && (etcd || !entry.etcd) && profile.includes(entry))
        .collect();
    let of = |entry: &Entry| -> Vec<Option<Span>> {
        let signer = entry.signer.and_then(|authority| shared.authorities.get(&authority)?.bundle.first());
        leaves(members, entry.name).map(|leaf| meant(&leaf, signer?)).collect()
    };
    let all: Vec<Vec<Option<Span>>> = entries.iter().map(|entry| of(entry)).collect();
    match most(all.iter().flatten().copied().flatten()) {
        Some(found) => profile.validity = found,
        None => guesses.push(Guess::new(
            "certificateValidityPeriod",
            profile.validity,
            "the certificates that are there do not say how long they were meant to live",
        )),
    }
    let keys = |entry: &Entry| -> Vec<Option<Algorithm>> {
        leaves(members, entry.name).map(|leaf| known(&leaf.key)).collect()
    };
    let kinds: Vec<Vec<Option<Algorithm>>> = entries.iter().map(|entry| keys(entry)).collect();
    match most(kinds.iter().flatten().copied().flatten()) {
        Some(found) => profile.algorithm = found,
        None => guesses.push(Guess::new(
            "encryptionAlgorithm",
            profile.algorithm,
            "the keys that are there are of other kinds",
        )),
    }
    for ((entry, lives), kinds) in entries.iter().zip(&all).zip(&kinds) {
        let validity = one(lives).filter(|found| *found != profile.validity);
        let algorithm = one(kinds).filter(|found| *found != profile.algorithm);
        state(profile, entry.name, algorithm, validity);
    }
    let sa = accounts(members, shared).filter(|found| *found != profile.algorithm);
    state(profile, "sa", sa, None);
    authorities(profile, shared, &mut guesses);
    guesses
}

fn state(profile: &mut Profile, name: &'static str, algorithm: Option<Algorithm>, validity: Option<Span>) {
    if algorithm.is_some() || validity.is_some() {
        let options = profile.certificates.entry(name).or_default();
        (options.algorithm, options.validity) = (algorithm, validity);
    }
}

fn authorities(profile: &mut Profile, shared: &Shared, guesses: &mut Vec<Guess>) {
    let firsts: BTreeMap<_, &Certificate> =
        shared.authorities.iter().filter_map(|(authority, found)| Some((*authority, found.bundle.first()?))).collect();
    let life = |first: &Certificate| hours(first.not_after - first.not_before);
    match most(firsts.values().filter_map(|first| life(first))) {
        Some(found) => profile.ca_validity = found,
        None => guesses.push(Guess::new("caCertificateValidityPeriod", profile.ca_validity, "no authority says it")),
    }
    for (authority, first) in firsts {
        let validity = life(first).filter(|found| *found != profile.ca_validity);
        let algorithm = known(&first.key).filter(|found| *found != profile.algorithm);
        let path_len = first.path_len.and_then(|length| u8::try_from(length).ok());
        if validity.is_some() || algorithm.is_some() || path_len.is_some() {
            let options = profile.authorities.entry(authority).or_default();
            (options.validity, options.algorithm, options.path_len) = (validity, algorithm, path_len);
        }
    }
}

fn accounts(members: &[Member], shared: &Shared) -> Option<Algorithm> {
    let member = members.get(shared.accounts?)?;
    let key = PrivateKey::from_pem(member.bytes(&member.places(find("sa")?).1?)?).ok()?;
    known(&crate::x509::key_kind(&key.spki_der()).ok()?)
}

/// What all of them have.
fn one<T: Copy + PartialEq>(all: &[Option<T>]) -> Option<T> {
    let first = all.first().copied().flatten()?;
    all.iter().all(|other| *other == Some(first)).then_some(first)
}

const fn known(key: &KeyKind) -> Option<Algorithm> {
    match key {
        KeyKind::Known(algorithm) => Some(*algorithm),
        KeyKind::Other(_) => None,
    }
}

fn meant(leaf: &Certificate, signer: &Certificate) -> Option<Span> {
    match lifetime(leaf, signer) {
        Lifetime::Stated(found) => hours(found),
        Lifetime::Cut | Lifetime::Unclear | Lifetime::Short(_) => None,
    }
}

/// In whole hours, without what it was dated back; a shorter one was not meant to be a rule.
fn hours(found: Duration) -> Option<Span> {
    let hour = Duration::HOUR.whole_seconds();
    let seconds = found.whole_seconds() - BACK_DATE.whole_seconds();
    let hours = u64::try_from(seconds.checked_add(hour / 2)? / hour).ok().filter(|hours| *hours > 0)?;
    Some(Span::hours(hours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_in_whole_hours() {
        for (seconds, expected) in [
            (8760 * 3600 + 300, Some(8760)),
            (8760 * 3600, Some(8760)),
            (8760 * 3600 + 305, Some(8760)),
            (24 * 3600 + 300, Some(24)),
            (301, None),
            (-5, None),
        ] {
            assert_eq!(hours(Duration::seconds(seconds)), expected.map(Span::hours), "{seconds}");
        }
    }
}
