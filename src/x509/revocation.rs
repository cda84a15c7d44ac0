//! Is a certificate revoked (RFC 5280 section 6.3)? Facts in, an answer out. Unknown is an answer of its own and never means
//! good: only fresh CRLs that the issuer, or whom the certificate names for it, signed, that together speak of every reason, and
//! that do not name the certificate say good.
//!
//! Of several CRLs of one scope the newest that is fresh decides, else the newest that went stale and of which a fresh delta is
//! there; which one is newer, the number says before the date. What is as new or newer may add a revocation (a CRL that went stale, one of the future, a delta, one for some reasons only). Only a
//! delta of it may take one away, and only a hold.

use time::OffsetDateTime;

use crate::blueprint::KeyUsage;
use crate::revocation::{Number, Reason, Revoked};
use crate::x509::crl::Crl;
use crate::x509::crl_entry::EntryAnomaly;
use crate::x509::crl_lookup::{CrlLookup, severity};
use crate::x509::crl_problem::Problem;
use crate::x509::distribution::{Points, Reasons};
use crate::x509::verify::Algorithms;
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
    /// Which signatures of CRLs are believed.
    pub algorithms: Algorithms,
}

/// A CRL held against its issuer and an instant; the CRL's own bytes are not needed any more.
#[derive(Debug, Clone)]
pub struct Vetted<'l> {
    lookup: &'l CrlLookup<'l>,
    standing: Standing,
    /// By its dates.
    is_current: bool,
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
    let is_indirect = crl.scope.is_some_and(|scope| scope.indirect);
    if lookup.anomaly == Some(EntryAnomaly::CertificateIssuer) && !is_indirect {
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
        // How far, the certificate's distribution points say.
        found(Problem::Partial, Standing::Full);
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
    let is_current = crl.this_update <= at && crl.next_update.is_none_or(|next_update| next_update >= at);
    Vetted { lookup, standing, is_current, rank: (crl.edition(), crl.this_update), problems }
}

/// The first whose key made the signature; else why the issuer did not.
fn signer<'a>(lookup: &CrlLookup<'_>, der: &[u8], authority: CrlIssuer<'a>) -> Result<&'a Certificate, VerifyError> {
    let signed = |by: &Certificate| lookup.crl.signed_with(der, by, authority.algorithms);
    match signed(authority.issuer) {
        Ok(()) => Ok(authority.issuer),
        Err(why) => {
            let mut delegates = authority.delegates.iter().filter(|delegate| states_crl_sign(delegate));
            delegates.find(|delegate| signed(delegate).is_ok()).copied().ok_or(why)
        }
    }
}

/// Whether the CRL may be about the certificate at all: it is its issuer's, or one that a distribution point asks for.
pub fn may_speak_of(certificate: &Certificate, crl: &Crl) -> bool {
    same_name(&crl.issuer, &certificate.issuer) || Points::of(certificate).covered(certificate, crl) != Reasons::NONE
}

/// keyUsage is there and says cRLSign.
pub fn states_crl_sign(certificate: &Certificate) -> bool {
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

/// A CRL that is believed to some degree, about one certificate.
#[derive(Clone, Copy)]
struct Used<'v> {
    index: usize,
    crl: &'v Vetted<'v>,
    /// Why it would name the certificate; for other reasons its silence means nothing.
    covered: Reasons,
}

impl<'v> Used<'v> {
    fn list(&self) -> &'v Crl {
        &self.crl.lookup.crl
    }

    /// Numbers count the CRLs of one issuer and scope (section 5.2.3).
    fn is_beside(&self, other: &Self) -> bool {
        let (one, other) = (self.list(), other.list());
        let same_issuer = one.issuer_der == other.issuer_der || same_name(&one.issuer, &other.issuer);
        same_issuer && one.distribution == other.distribution
    }

    /// 6.3.3 (c): what has changed since this full CRL.
    fn is_delta_of(&self, base: &Self) -> bool {
        let (list, full) = (self.list(), base.list().edition());
        let key_ids = (list.authority_key_id.as_ref(), base.list().authority_key_id.as_ref());
        self.crl.is_current
            && self.is_beside(base)
            && !matches!(key_ids, (Some(one), Some(other)) if one != other)
            && list.delta
            && full.is_some()
            && list.base().is_some()
            && list.base() <= full
            && list.edition() > full
    }
}

/// The newest of these.
fn newest<'v>(all: &[Used<'v>], wanted: impl Fn(&Used<'v>) -> bool) -> Option<Used<'v>> {
    all.iter().filter(|one| wanted(one)).max_by_key(|one| &one.crl.rank).copied()
}

/// What the CRLs say of a certificate of [`CrlIssuer::issuer`], in whatever order they come.
pub fn status(certificate: &Certificate, issuer: &Certificate, crls: &[Vetted<'_>]) -> Answer {
    let mut problems = Vec::new();
    let used = usable(certificate, issuer, crls, &mut problems);
    let base = |one: &Used<'_>| {
        // One that leaves out this certificate has no say in its own row: the issuer's whole CRL decides what is old.
        let row = |other: &Used<'_>| {
            if one.covered == Reasons::NONE { other.list().distribution.is_none() } else { other.is_beside(one) }
        };
        let of = |wanted: Standing| {
            newest(&used, |other| row(other) && other.crl.standing == wanted && other.covered != Reasons::NONE)
        };
        of(Standing::Full).or_else(|| of(Standing::Stale))
    };
    let mut named = Vec::new();
    for one in &used {
        let Some(found) = one.crl.lookup.named_by(&certificate.serial, &certificate.issuer) else { continue };
        if found.twice {
            problems.push((one.index, Problem::Twice));
        }
        let base = base(one);
        if base.is_none_or(|base| one.crl.at_least_as_new(base.crl)) {
            named.push((*one, base, &found.revoked));
        }
    }
    let mut taken_back = false;
    let (removed, mut named): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(.., revoked)| revoked.reason == Some(Reason::RemoveFromCrl));
    for (delta, base, _) in removed {
        // Only a hold ends, and only by the newest that speaks of it (section 5.3.1).
        let applies = base.is_some_and(|base| delta.is_delta_of(&base));
        let ends = |(one, _, revoked): &(Used<'_>, Option<Used<'_>>, &Revoked)| {
            applies && revoked.is_hold() && one.is_beside(&delta) && one.crl.rank < delta.crl.rank
        };
        let before = named.len();
        named.retain(|one| !ends(one));
        if named.len() == before {
            problems.push((delta.index, Problem::RemoveFromCrl));
            taken_back = taken_back || !delta.list().delta;
        }
    }
    let key = |(one, _, revoked): &(Used<'_>, Option<Used<'_>>, &Revoked)| {
        (severity(revoked), one.crl.rank.clone(), std::cmp::Reverse(revoked.at), std::cmp::Reverse(one.index))
    };
    let worst = named.into_iter().max_by_key(key);
    // 6.3.3 (a) (1) (i): a delta says what has changed since a CRL that is stale by now.
    let is_whole = |one: &Used<'_>| match one.crl.standing {
        Standing::Full => true,
        Standing::Stale => used.iter().any(|delta| delta.is_delta_of(one)),
        Standing::NamesOnly | Standing::Unusable => false,
    };
    let full = |one: &Used<'_>| is_whole(one) && base(one).is_some_and(|base| base.index == one.index);
    let covered = used.iter().filter(|one| full(one)).fold(Reasons::NONE, |sum, one| sum.with(one.covered));
    let (status, list) = match worst {
        Some((one, _, revoked)) if revoked.is_hold() => (Status::Held(revoked.clone()), Some(one.index)),
        Some((one, _, revoked)) => (Status::Revoked(revoked.clone()), Some(one.index)),
        None if covered == Reasons::ALL && !taken_back => {
            let whole = newest(&used, |one| full(one) && one.covered == Reasons::ALL).or_else(|| newest(&used, full));
            (Status::Good, whole.map(|one| one.index))
        }
        None => (Status::Unknown, None),
    };
    Answer { status, list, problems }
}

/// Those that may speak of the certificate.
fn usable<'v>(
    certificate: &Certificate,
    issuer: &Certificate,
    crls: &'v [Vetted<'v>],
    problems: &mut Vec<(usize, Problem)>,
) -> Vec<Used<'v>> {
    let points = Points::of(certificate);
    let mut used = Vec::new();
    for (index, crl) in crls.iter().enumerate() {
        let list = &crl.lookup.crl;
        problems.extend(crl.problems.iter().map(|problem| (index, problem.clone())));
        let covered = points.covered(certificate, list);
        let is_own = same_name(&certificate.issuer, &list.issuer);
        if !same_name(&certificate.issuer, &issuer.subject) || (!is_own && covered == Reasons::NONE) {
            problems.push((index, Problem::OtherIssuer(list.issuer.clone())));
        } else if !crl.lookup.was_asked(&certificate.serial) {
            problems.push((index, Problem::NotAsked));
        } else if !list.scope.is_none_or(|scope| scope.covers(certificate.is_ca)) {
            problems.push((index, Problem::OtherKind));
        } else if crl.standing > Standing::Unusable {
            used.push(Used { index, crl, covered });
        }
    }
    used
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
