//! What makes a certificate due, and what makes renewing it pointless.

use time::{Duration, OffsetDateTime};

use super::context::{Existing, Run};
use super::repairs::differs;
use super::{Names, Reason, Refusal, Skipped};
use crate::blueprint::ExtendedKeyUsage;
use crate::kubeconfig::Read;
use crate::plan::blueprints::BACK_DATE;
use crate::tree::Authority;
use crate::x509::{Certificate, KeyKind};

impl Run<'_> {
    /// Independent of profile and catalogue: it expires, is not yet valid, or has no usable key.
    /// `lifetime`: that of the new certificate.
    pub(super) fn broken(&self, existing: &Existing, lifetime: Duration) -> Vec<Reason> {
        let leaf = &existing.leaf;
        let now = self.rules.now;
        let mut reasons = Vec::new();
        if leaf.not_after < now {
            reasons.push(Reason::Expired(leaf.not_after));
        } else if now < leaf.not_before {
            reasons.push(Reason::NotYetValid(leaf.not_before));
        } else if let Some(window) = self.rules.due {
            let left = leaf.not_after - now;
            // Of the shorter life of the two: a profile's shorter one does not make what lives long due at once, and
            // its longer one does not make everything due.
            let life = (leaf.not_after - leaf.not_before).min(lifetime - BACK_DATE);
            if left.whole_seconds() <= window.seconds(life.whole_seconds()) {
                reasons.push(Reason::Window { left });
            }
            let most = self.rules.profile.and_then(|profile| profile.renewal.max_age);
            if let Some(most) = most.filter(|most| most.is_reached(leaf.not_before, now)) {
                reasons.push(Reason::Age { age: now - leaf.not_before, most });
            }
        }
        match &existing.key {
            None => reasons.push(Reason::KeyMissing),
            // A kind kpki does not read may well be in order.
            Some(Err(_)) if matches!(leaf.key, KeyKind::Other(_)) => {}
            Some(Err(why)) => reasons.push(Reason::KeyUnreadable(why.clone())),
            Some(Ok(key)) if !key.matches(leaf) => reasons.push(Reason::KeyMismatch),
            Some(Ok(_)) => {}
        }
        reasons
    }

    /// A kubeconfig without CA data gets none: it trusts a file, or the system's authorities.
    pub(super) fn other_authority_data(&self, read: &Read) -> bool {
        differs(&read.authority, self.authority.map(Authority::bundle).unwrap_or_default())
    }

    /// A new one would have the same notAfter: renewing is useless until the authority is replaced.
    pub(super) fn gains_nothing(
        &self,
        leaf: &Certificate,
        not_after: OffsetDateTime,
        reasons: &[Reason],
    ) -> Option<Skipped> {
        let only_window = matches!(reasons, [Reason::Window { .. }]);
        let authority = self.credential.authority?;
        (only_window && not_after <= leaf.not_after).then_some(Skipped::AuthorityEnds(authority, not_after))
    }

    /// What the new one would have left were due as soon as it is made. `lifetime`: with what it is dated back, before
    /// its authority cuts it.
    pub(super) fn wide(&self, lifetime: Duration) -> Result<(), Refusal> {
        let Some(window) = self.rules.due else { return Ok(()) };
        let left = lifetime - BACK_DATE;
        if window.seconds(left.whole_seconds()) < left.whole_seconds() {
            return Ok(());
        }
        Err(Refusal::WindowTooWide { item: self.credential.id.to_string(), window, lifetime: left })
    }
}

/// Why a valid certificate is not the wanted one.
pub(super) fn differences(names: &Names, missing: &[ExtendedKeyUsage]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !names.added.is_empty() {
        reasons.push(Reason::MissingNames(names.added.clone()));
    }
    if !names.removed.is_empty() {
        reasons.push(Reason::SurplusNames(names.removed.clone()));
    }
    if !missing.is_empty() {
        reasons.push(Reason::MissingUsages(missing.to_vec()));
    }
    reasons
}
