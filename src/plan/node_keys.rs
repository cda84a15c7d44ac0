//! The private keys on a node: whether each is its certificate's, and whether it may lie there.

use time::OffsetDateTime;

use super::node::{Finding, Identity, Judged, NodeEntry, NodeFile, judge};
use crate::catalog::Entry;
use crate::profile::Profile;
use crate::tree::layout::holds_ca_keys;

/// The key of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    Matches,
    /// It is another one than that of the certificate.
    Other,
    Missing,
    /// It cannot be read, or is no key.
    Unusable,
}

/// `None`: the entry needs none, or there is nothing that it would belong to.
pub fn key_state(one: &NodeEntry) -> Option<KeyState> {
    let NodeFile::File(_) = one.public else { return None };
    let judged = judge(&Identity::default(), std::slice::from_ref(one), OffsetDateTime::UNIX_EPOCH);
    let of = |finding: &Finding| match finding {
        Finding::KeyMismatch | Finding::NotThePublicHalf => Some(KeyState::Other),
        Finding::KeyMissing => Some(KeyState::Missing),
        Finding::KeyBroken(_) | Finding::Unreadable(_) => Some(KeyState::Unusable),
        _ => None,
    };
    judged.iter().flat_map(|judged| &judged.findings).find_map(of)
}

/// Marks the keys of authorities on a node that has none by its profile.
pub fn not_meant(judged: &mut [Judged], found: &[NodeEntry], profile: &Profile, node: &str) {
    if profile.node(node).is_none_or(|node| holds_ca_keys(profile, node)) {
        return;
    }
    let is_there = |one: &&NodeEntry| {
        one.entry.and_then(Entry::authority).is_some()
            && matches!(one.private, NodeFile::File(_) | NodeFile::Unreadable(_))
    };
    for one in found.iter().filter(is_there) {
        judged
            .iter_mut()
            .filter(|judged| judged.name == one.name)
            .for_each(|judged| judged.findings.push(Finding::KeyNotMeant));
    }
}
