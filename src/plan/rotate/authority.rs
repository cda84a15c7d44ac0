//! The certificate of a new authority: what the profile says, or what the old one is.

use time::OffsetDateTime;

use super::name::successor;
use crate::blueprint::{Algorithm, BACK_DATE, Blueprint, KeyUsage, Name, Role};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::plan::{blueprints, sans};
use crate::profile::Profile;
use crate::x509::{Certificate, KeyKind};

/// What the command line says of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wishes {
    pub algorithm: Option<Algorithm>,
    pub validity: Option<Span>,
    pub keep_subject: bool,
}

#[derive(Debug, Clone)]
pub struct Successor {
    pub algorithm: Algorithm,
    pub blueprint: Blueprint,
    pub number: u32,
}

/// kubeadm's name of the first authority is the profile's; the number is always that of the old one's name.
pub fn authority(
    id: CaId,
    old: &Certificate,
    profile: Option<&Profile>,
    wishes: Wishes,
    now: OffsetDateTime,
) -> Successor {
    let named = successor(&old.subject, id.common_name(), wishes.keep_subject);
    let (usual, blueprint) = match profile {
        Some(profile) => blueprints::authority(profile, id, now),
        None => like(id, old, named.name.clone(), now),
    };
    let algorithm = wishes.algorithm.unwrap_or(usual);
    let end = wishes.validity.map(|validity| now.saturating_add(validity.duration()));
    let blueprint = Blueprint {
        subject: named.name,
        not_after: end.unwrap_or(blueprint.not_after),
        key_usage: blueprints::with_encipherment(usage(blueprint.key_usage), algorithm),
        ..blueprint
    };
    Successor { algorithm, blueprint, number: named.number }
}

/// Without a profile: its lifetime, its kind of key, its path length.
fn like(id: CaId, old: &Certificate, subject: Name, now: OffsetDateTime) -> (Algorithm, Blueprint) {
    let algorithm = match old.key {
        KeyKind::Known(algorithm) => algorithm,
        KeyKind::Other(_) => Algorithm::Rsa2048,
    };
    let not_before = now.saturating_sub(BACK_DATE);
    let blueprint = Blueprint {
        subject,
        not_before,
        not_after: not_before.saturating_add(old.not_after - old.not_before),
        role: Role::Authority { path_len: old.path_len.and_then(|length| length.try_into().ok()) },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN),
        extended_key_usages: Vec::new(),
        sans: sans::authority(id),
        permitted: Vec::new(),
    };
    (algorithm, blueprint)
}

/// Without what only keys of another kind may do.
const fn usage(usage: KeyUsage) -> KeyUsage {
    KeyUsage(usage.0 & !KeyUsage::KEY_ENCIPHERMENT.0)
}
