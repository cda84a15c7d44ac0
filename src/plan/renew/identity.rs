//! The identity of a renewed certificate, from the certificate on disk.

use time::Duration;

use super::Names;
use crate::blueprint::{Algorithm, Blueprint, KeyUsage, Oid, Role, San};
use crate::plan::blueprints::BACK_DATE;
use crate::x509::{Certificate, KeyKind};

/// kubeadm's certificateValidityPeriod.
pub const YEAR: Duration = Duration::days(365);
/// What Kubernetes allows in a CertificateSigningRequest at the least (expirationSeconds): nothing shorter is inherited.
pub const SHORTEST: Duration = Duration::minutes(10);
/// How much later than its authority a certificate of the same run is made.
const SAME_RUN: Duration = Duration::minutes(10);

/// How long a certificate was meant to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    Stated(Duration),
    /// Its authority expired sooner.
    Cut,
    /// Its dates are not conclusive.
    Unclear,
    /// Too short to be meant: a test's, or of a profile with `1s`. A new one would be useless, too.
    Short(Duration),
}

/// kubeadm before 1.31, and every kubeconfig it makes, begins a certificate's validity with its authority's: what is
/// made years later seems to have lived for years. Made in one run with its authority the two agree to a whole number
/// of days. And what was cut to its authority's end was meant to live longer.
pub fn lifetime(old: &Certificate, authority: &Certificate) -> Lifetime {
    let stated = old.not_after - old.not_before;
    // Dated back by as much, a new one would be over before or just after it begins.
    if stated < BACK_DATE + SHORTEST {
        return Lifetime::Short(stated);
    }
    if old.not_after == authority.not_after && stated < YEAR {
        return Lifetime::Cut;
    }
    let over = stated.whole_seconds().rem_euclid(Duration::DAY.whole_seconds());
    let same_run = stated <= YEAR || over <= SAME_RUN.whole_seconds();
    if old.not_before == authority.not_before && !same_run {
        return Lifetime::Unclear;
    }
    Lifetime::Stated(stated)
}

/// Its identity; the dates are the caller's to fill in. `algorithm`: of the new key.
pub fn blueprint(old: &Certificate, algorithm: Algorithm, sans: Vec<San>) -> Blueprint {
    Blueprint {
        subject: old.subject.clone(),
        not_before: old.not_before,
        not_after: old.not_after,
        role: Role::EndEntity,
        key_usage: key_usage(old, algorithm),
        extended_key_usages: old.extended_key_usages.clone(),
        sans,
        permitted: Vec::new(),
    }
}

/// The key usage for another key algorithm.
pub fn for_key(blueprint: Blueprint, was: Algorithm, algorithm: Algorithm) -> Blueprint {
    Blueprint { key_usage: other_key(blueprint.key_usage, was.is_rsa(), algorithm), ..blueprint }
}

/// As it was, but for a key of another kind: RSA keys may encipher, EC keys may not (RFC 5480 section 3). And who is no
/// authority does not sign certificates (RFC 5280 section 4.2.1.9).
fn key_usage(old: &Certificate, algorithm: Algorithm) -> KeyUsage {
    let usage = old.key_usage.unwrap_or(KeyUsage::DIGITAL_SIGNATURE);
    let usage = if old.is_ca { usage } else { KeyUsage(usage.0 & !KeyUsage::KEY_CERT_SIGN.0) };
    let was_rsa = match old.key {
        KeyKind::Known(known) => known.is_rsa(),
        KeyKind::Other(_) => !algorithm.is_rsa(),
    };
    other_key(usage, was_rsa, algorithm)
}

fn other_key(usage: KeyUsage, was_rsa: bool, algorithm: Algorithm) -> KeyUsage {
    match (was_rsa, algorithm.is_rsa()) {
        (true, false) => KeyUsage(usage.0 & !KeyUsage::KEY_ENCIPHERMENT.0),
        (false, true) => usage.and(KeyUsage::KEY_ENCIPHERMENT),
        _ => usage,
    }
}

/// The names of the new certificate: those it has, in their order, then those it lacks.
pub fn names(old: &[San], wanted: &[San], prune: bool) -> (Vec<San>, Names) {
    let lacks = |list: &[San], name: &San| !list.iter().any(|other| same(other, name));
    let added: Vec<San> = wanted.iter().filter(|name| lacks(old, name)).cloned().collect();
    let surplus: Vec<San> = old.iter().filter(|name| lacks(wanted, name)).cloned().collect();
    let (removed, surplus) = if prune { (surplus, Vec::new()) } else { (Vec::new(), surplus) };
    let kept = old.iter().filter(|name| !removed.contains(name));
    let all = kept.chain(&added).cloned().collect();
    (all, Names { added, removed, surplus })
}

/// Names are compared without regard to case (RFC 5280 section 7.2).
fn same(a: &San, b: &San) -> bool {
    match (a, b) {
        (San::Dns(a), San::Dns(b)) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

/// keyUsage, subjectAltName, basicConstraints, extKeyUsage and the two key identifiers: what kpki writes itself.
const WRITTEN: [&str; 6] = ["2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.37", "2.5.29.14", "2.5.29.35"];

/// Extensions a new certificate will not have.
pub fn dropped(old: &Certificate) -> Vec<Oid> {
    let written = |oid: &Oid| WRITTEN.iter().any(|known| *known == oid.0);
    old.extensions.iter().map(|(oid, _)| oid).filter(|oid| !written(oid)).cloned().collect()
}
