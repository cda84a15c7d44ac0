//! The certificate of a new authority: what the profile says, or what the old one is.

use time::OffsetDateTime;

use super::name::successor;
use crate::blueprint::{Algorithm, BACK_DATE, Blueprint, KeyUsage, Name, Oid, Role, Subtree};
use crate::catalog::CaId;
use crate::clock::Span;
use crate::encoding::extension;
use crate::plan::item::What;
use crate::plan::{blueprints, sans};
use crate::profile::Profile;
use crate::x509::name_constraints::NameConstraints;
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
    /// What the old one says and the new one will not.
    pub lost: Vec<String>,
}

/// Without a profile the new one is like the old one, and that has name constraints that kpki does not write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inexpressible;

/// Which extensions follow from the blueprint and the keys (RFC 5280 section 4.2.1).
const MADE: [&str; 6] = ["2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.35"];

/// kubeadm's name of the first authority is the profile's; the number is always that of the old one's name. The kind of key is the
/// old one's, unless the profile states one.
///
/// # Errors
/// There is no profile, and the old one's name constraints cannot be made again.
pub fn authority(
    id: CaId,
    old: &Certificate,
    profile: Option<&Profile>,
    wishes: Wishes,
    now: OffsetDateTime,
) -> Result<Successor, Inexpressible> {
    let named = successor(&old.subject, id.common_name(), wishes.keep_subject);
    let (usual, blueprint) = match profile {
        Some(profile) => {
            let (algorithm, blueprint) = blueprints::authority(profile, id, now);
            let is_stated = blueprints::stated(profile, &What::Authority(id)).algorithm;
            (if is_stated { algorithm } else { kind(old).unwrap_or(algorithm) }, blueprint)
        }
        None => like(id, old, named.name.clone(), now)?,
    };
    let algorithm = wishes.algorithm.unwrap_or(usual);
    let end = wishes.validity.map(|validity| now.saturating_add(validity.duration()));
    let blueprint = Blueprint {
        subject: named.name,
        not_after: end.unwrap_or(blueprint.not_after),
        key_usage: blueprints::with_encipherment(usage(blueprint.key_usage), algorithm),
        ..blueprint
    };
    let lost = lost(old, &blueprint);
    Ok(Successor { algorithm, blueprint, number: named.number, lost })
}

const fn kind(old: &Certificate) -> Option<Algorithm> {
    match old.key {
        KeyKind::Known(algorithm) => Some(algorithm),
        KeyKind::Other(_) => None,
    }
}

/// Without a profile: its lifetime, its kind of key, its path length, its name constraints.
fn like(
    id: CaId,
    old: &Certificate,
    subject: Name,
    now: OffsetDateTime,
) -> Result<(Algorithm, Blueprint), Inexpressible> {
    let not_before = now.saturating_sub(BACK_DATE);
    let blueprint = Blueprint {
        subject,
        not_before,
        not_after: not_before.saturating_add(old.not_after - old.not_before),
        role: Role::Authority { path_len: old.path_len.and_then(|length| length.try_into().ok()) },
        key_usage: KeyUsage::DIGITAL_SIGNATURE.and(KeyUsage::KEY_CERT_SIGN).and(KeyUsage::CRL_SIGN),
        extended_key_usages: Vec::new(),
        sans: sans::authority(id),
        permitted: permitted(old)?,
    };
    Ok((kind(old).unwrap_or(Algorithm::Rsa2048), blueprint))
}

fn permitted(old: &Certificate) -> Result<Vec<Subtree>, Inexpressible> {
    let Some(value) = &old.name_constraints else { return Ok(Vec::new()) };
    let read = NameConstraints::read(value).ok().and_then(|constraints| constraints.subtrees());
    read.filter(|permitted| extension::name_constraints(permitted).as_ref() == Some(value)).ok_or(Inexpressible)
}

/// Without what only keys of another kind may do.
const fn usage(usage: KeyUsage) -> KeyUsage {
    KeyUsage(usage.0 & !KeyUsage::KEY_ENCIPHERMENT.0)
}

fn lost(old: &Certificate, new: &Blueprint) -> Vec<String> {
    let mut lost = Vec::new();
    if old.name_constraints.is_some() && old.name_constraints != extension::name_constraints(&new.permitted) {
        lost.push("its name constraints: the profile has others, or none (permittedNames)".to_owned());
    }
    let Role::Authority { path_len } = new.role else { return lost };
    if let Some(length) = old.path_len.filter(|length| Some(*length) != path_len.map(u32::from)) {
        lost.push(format!("its path length {length}: the profile has another, or none (pathLength)"));
    }
    let further = old.extensions.iter().filter(|(id, _)| !MADE.contains(&&*id.0));
    lost.extend(further.map(|(id, _)| named(id)));
    lost
}

fn named(id: &Oid) -> String {
    match &*id.0 {
        "2.5.29.37" => "its extended key usages".to_owned(),
        "2.5.29.31" => "its CRL distribution points".to_owned(),
        "2.5.29.32" => "its certificate policies".to_owned(),
        other => format!("its extension {other}"),
    }
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
