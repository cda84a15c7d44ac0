//! Is a certificate revoked (RFC 5280 section 6.3)? Facts in, an answer out. Unknown is an answer of its own and never means
//! good: only a full, fresh CRL that the issuer signed and that does not name the certificate says good.
//!
//! Of several CRLs the newest that is full and fresh decides; which one is newer, the number says before the date. What is as
//! new or newer may add a revocation (a CRL that went stale, one of the future, a delta, one for some reasons only); nothing
//! may take one away.

use time::OffsetDateTime;

use crate::blueprint::KeyUsage;
use crate::revocation::{Number, Reason, Revoked};
use crate::x509::crl_entry::EntryAnomaly;
use crate::x509::crl_lookup::{CrlLookup, severity};
use crate::x509::crl_problem::Problem;
use crate::x509::{Certificate, VerifyError, same_name};

/// What the CRLs say of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    Good,
    Revoked(Revoked),
    /// certificateHold: may be taken back.
    Held(Revoked),
    /// No CRL that can decide; [`Answer::problems`] says why.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: Status,
    /// Which CRL decided, in the order they were given.
    pub list: Option<usize>,
    /// What is wrong with which CRL, also where another one decided.
    pub problems: Vec<(usize, Problem)>,
}

/// How much of the standard is insisted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// As section 6.3.3 (f): the signer's keyUsage says cRLSign; and as section 5.2.3: a CRL has a number.
    #[default]
    Strict,
    /// Both are reported and let pass: kubeadm's authorities have no cRLSign, `openssl ca` writes no number unless configured.
    Lenient,
}

/// Whose CRLs are wanted.
#[derive(Debug, Clone, Copy)]
pub struct CrlIssuer<'a> {
    /// Who issued the certificates in question, which the caller has made sure of.
    pub issuer: &'a Certificate,
    /// Certificates of the same name with other keys, each found valid up to the same anchor: authorities may sign CRLs with
    /// another key than certificates (section 5). They need cRLSign whatever the strictness.
    pub delegates: &'a [&'a Certificate],
    pub strictness: Strictness,
}

/// A CRL held against its issuer and an instant; the CRL's own bytes are not needed any more.
#[derive(Debug, Clone)]
pub struct Vetted<'l> {
    lookup: &'l CrlLookup<'l>,
    standing: Standing,
    rank: (Option<Number>, OffsetDateTime),
    problems: Vec<Problem>,
}

/// How far a CRL is believed, whatever the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Unusable,
    /// What it names is revoked; what it does not name may be revoked all the same.
    NamesOnly,
    /// Was full in its time.
    Stale,
    Full,
}

/// Verifies the signature, which takes a hash over all of `der`, and everything else that is the same for all certificates.
pub fn vet<'l>(lookup: &'l CrlLookup<'l>, der: &[u8], authority: CrlIssuer<'_>, at: OffsetDateTime) -> Vetted<'l> {
    let crl = &lookup.crl;
    let mut problems = Vec::new();
    let mut standing = Standing::Full;
    let mut found = |problem: Problem, at_most: Standing| {
        standing = standing.min(at_most);
        problems.push(problem);
    };
    let lenient = match authority.strictness {
        Strictness::Strict => Standing::Unusable,
        Strictness::Lenient => Standing::Full,
    };
    match signer(lookup, der, authority) {
        Ok(signer) if !may_sign_lists(signer) => found(Problem::MayNotSign, lenient),
        Ok(_) => {}
        Err(VerifyError::Name { found: name, .. }) => found(Problem::OtherIssuer(name), Standing::Unusable),
        Err(why) => found(Problem::NotSigned(why), Standing::Unusable),
    }
    if let Some(oid) = crl.unknown_critical.first() {
        found(Problem::UnknownCritical(oid.clone()), Standing::Unusable);
    }
    if crl.scope.is_some_and(|scope| scope.indirect) || lookup.anomaly == Some(EntryAnomaly::CertificateIssuer) {
        found(Problem::Indirect, Standing::Unusable);
    }
    if lookup.anomaly == Some(EntryAnomaly::UnknownCritical) {
        found(Problem::UnknownCriticalInEntry, Standing::Unusable);
    }
    if crl.this_update > at {
        found(Problem::NotYetValid { this_update: crl.this_update }, Standing::NamesOnly);
    }
    if crl.delta {
        found(Problem::Delta, Standing::NamesOnly);
    }
    if crl.scope.is_some_and(|scope| scope.leaves_out()) {
        found(Problem::Partial, Standing::NamesOnly);
    }
    match (&crl.number, crl.edition()) {
        (Some(_), None) => found(Problem::Number, Standing::NamesOnly),
        (None, _) => found(Problem::NoNumber, lenient.max(Standing::NamesOnly)),
        _ => {}
    }
    match crl.next_update {
        None => found(Problem::NoNextUpdate, Standing::Stale),
        Some(next_update) if next_update < at => found(Problem::Stale { next_update }, Standing::Stale),
        Some(_) => {}
    }
    Vetted { lookup, standing, rank: (crl.edition(), crl.this_update), problems }
}

/// The first whose key made the signature; else why the issuer did not.
fn signer<'a>(lookup: &CrlLookup<'_>, der: &[u8], authority: CrlIssuer<'a>) -> Result<&'a Certificate, VerifyError> {
    let signed = |by: &Certificate| lookup.crl.signed_by(der, by);
    match signed(authority.issuer) {
        Ok(()) => Ok(authority.issuer),
        Err(why) => {
            let mut delegates = authority.delegates.iter().filter(|delegate| states_crl_sign(delegate));
            delegates.find(|delegate| signed(delegate).is_ok()).copied().ok_or(why)
        }
    }
}

fn states_crl_sign(certificate: &Certificate) -> bool {
    certificate.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN))
}

/// keyUsage says cRLSign where it stands (RFC 5280 section 6.3.3 (f)).
pub fn may_sign_lists(certificate: &Certificate) -> bool {
    certificate.key_usage.is_none() || states_crl_sign(certificate)
}

impl Vetted<'_> {
    /// Whether anything it says is believed.
    pub fn is_usable(&self) -> bool {
        self.standing > Standing::Unusable
    }

    /// What keeps it from being believed, or from being believed fully.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// As new as the other; a CRL without a number is held against its date alone, so that it cannot be outranked for ever.
    fn at_least_as_new(&self, other: &Self) -> bool {
        self.rank >= other.rank || (self.rank.0.is_none() && self.rank.1 >= other.rank.1)
    }
}

/// What the CRLs say of a certificate of [`CrlIssuer::issuer`], in whatever order they come.
pub fn status(certificate: &Certificate, issuer: &Certificate, crls: &[Vetted<'_>]) -> Answer {
    let serial = certificate.serial.as_slice();
    let mut problems = Vec::new();
    let mut usable: Vec<(usize, &Vetted<'_>)> = Vec::new();
    for (index, crl) in crls.iter().enumerate() {
        problems.extend(crl.problems.iter().map(|problem| (index, problem.clone())));
        let covers = crl.lookup.crl.scope.is_none_or(|scope| scope.covers(certificate.is_ca));
        if !same_name(&certificate.issuer, &issuer.subject) || !same_name(&certificate.issuer, &crl.lookup.crl.issuer) {
            problems.push((index, Problem::OtherIssuer(crl.lookup.crl.issuer.clone())));
        } else if !crl.lookup.was_asked(serial) {
            problems.push((index, Problem::NotAsked));
        } else if !covers {
            problems.push((index, Problem::OtherKind));
        } else if crl.standing > Standing::Unusable {
            usable.push((index, crl));
        }
    }
    let newest = |wanted: Standing| {
        usable.iter().filter(|(_, crl)| crl.standing == wanted).max_by_key(|(_, crl)| &crl.rank).copied()
    };
    let base = newest(Standing::Full).or_else(|| newest(Standing::Stale));
    let mut worst: Option<(usize, &Vetted<'_>, &Revoked)> = None;
    let mut taken_back = false;
    for (index, crl) in usable {
        let Some(named) = crl.lookup.named(serial) else { continue };
        if named.twice {
            problems.push((index, Problem::Twice));
        }
        if !base.is_none_or(|(_, base)| crl.at_least_as_new(base)) {
            continue;
        }
        if named.revoked.reason == Some(Reason::RemoveFromCrl) {
            // A delta takes back what a full CRL says, and here nothing is taken back; in a full CRL it is nonsense.
            problems.push((index, Problem::RemoveFromCrl));
            taken_back = taken_back || !crl.lookup.crl.delta;
            continue;
        }
        let key = |crl: &Vetted<'_>, one: &Revoked| (severity(one), crl.rank.clone(), std::cmp::Reverse(one.at));
        if worst.is_none_or(|(_, other, before)| key(crl, &named.revoked) > key(other, before)) {
            worst = Some((index, crl, &named.revoked));
        }
    }
    let (status, list) = match (worst, base) {
        (Some((index, _, revoked)), _) if revoked.is_hold() => (Status::Held(revoked.clone()), Some(index)),
        (Some((index, _, revoked)), _) => (Status::Revoked(revoked.clone()), Some(index)),
        (None, Some((index, base))) if base.standing == Standing::Full && !taken_back => (Status::Good, Some(index)),
        _ => (Status::Unknown, None),
    };
    Answer { status, list, problems }
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
