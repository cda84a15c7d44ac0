//! What a profile says of a lifetime or a kind of key and existing files do not have: they are kept, and a person who changed the
//! profile expects otherwise.

use time::Duration;

use crate::blueprint::Algorithm;
use crate::plan::blueprints::{self, BACK_DATE};
use crate::plan::decision::{Notice, Takes};
use crate::plan::item::{Item, What};
use crate::plan::renew::{Lifetime, lifetime};
use crate::profile::Profile;
use crate::x509::{Certificate, KeyKind};

/// How much later than it was asked for a certificate is made, or earlier it is dated.
const ABOUT: Duration = Duration::minutes(10);

/// About an existing certificate that fits otherwise. `signer`: of a leaf, its authority's.
pub fn notices(profile: &Profile, item: &Item, old: &Certificate, signer: Option<&Certificate>) -> Vec<Notice> {
    let stated = blueprints::stated(profile, &item.what);
    let takes = match item.what {
        What::Authority(_) => Takes::Never,
        _ => Takes::AtRenewal,
    };
    let wanted = blueprints::validity(profile, &item.what).duration();
    let found = match signer {
        Some(signer) => match lifetime(old, signer) {
            Lifetime::Stated(found) if old.not_after != signer.not_after => Some(found),
            Lifetime::Short(found) => Some(found),
            _ => None,
        },
        None => Some(old.not_after - old.not_before),
    };
    // With what it was dated back, or without (kubeadm up to 1.30).
    let is_wanted = |found: Duration| [found, found - BACK_DATE].iter().any(|found| (*found - wanted).abs() <= ABOUT);
    let lifetime = found.filter(|found| stated.validity && !is_wanted(*found)).map(|found| {
        let found = if found < Duration::DAY { (found - BACK_DATE).max(Duration::SECOND) } else { found };
        Notice::OtherLifetime { item: item.id.to_string(), found, wanted, takes }
    });
    let is_other = |wanted: &Algorithm| stated.algorithm && old.key != KeyKind::Known(*wanted);
    let algorithm = blueprints::algorithm_of(profile, &item.what)
        .filter(is_other)
        .map(|wanted| Notice::OtherAlgorithm { item: item.id.to_string(), found: old.key.to_string(), wanted, takes });
    lifetime.into_iter().chain(algorithm).collect()
}
