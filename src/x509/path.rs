//! The judge of certification paths (RFC 5280 section 6.1): from a certificate up to an anchor, by signatures, names, dates,
//! roles, path lengths, name constraints, policies, critical extensions and, where they are given, CRLs. Stricter than the TLS
//! peer in [`crate::x509::chain`]: the anchor's role, path length, name constraints and policy constraints count too.

use std::borrow::Cow;
use time::OffsetDateTime;

use crate::blueprint::{KeyUsage, Oid};
use crate::x509::crl_lookup::CrlLookup;
use crate::x509::dsa;
use crate::x509::name_constraints::NameConstraints;
pub use crate::x509::path_error::{Part, PathError, Violation};
use crate::x509::policies::{self, PolicyInput};
use crate::x509::revocation::{Answer, CrlIssuer, Status, Strictness, Vetted, may_speak_of, status, vet};
use crate::x509::verify::{Algorithms, verify_der};
use crate::x509::{Certificate, VerifyError, same_name};

/// Certificates between leaf and anchor; real trees have two or three.
const DEPTH: usize = 12;
/// Paths that are tried: certificates that sign each other in circles must not keep a reader busy.
const PATHS: usize = 64;
/// Certificates looked at on the way up, on all paths together.
const STEPS: usize = 4096;
/// CRL signers whose own validity hangs on other CRL signers.
const SIGNERS: usize = 2;

const NAME_CONSTRAINTS: &str = "2.5.29.30";

/// The expectation for a certificate.
#[derive(Debug, Clone, Copy)]
pub struct ValidationInput<'a> {
    /// The first that a valid path leads to is taken.
    pub anchors: &'a [Certificate],
    /// In any order; may hold more than is needed.
    pub intermediates: &'a [Certificate],
    pub at: OffsetDateTime,
    pub links: Links,
    pub dates: Dates,
    pub policies: PolicyInput<'a>,
    /// `None`: revocation is not asked about.
    pub revocation: Option<Revocation<'a>>,
}

/// What links a certificate to its issuer, beside the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Names as RFC 5280 section 7.1 compares them, and DSA counts.
    Rfc5280,
    /// As Go and OpenSSL link them: names byte by byte, and key identifiers that do not differ.
    Exact,
}

impl Links {
    const fn algorithms(self) -> Algorithms {
        match self {
            Self::Rfc5280 => Algorithms::Rfc5280,
            Self::Exact => Algorithms::Kubernetes,
        }
    }
}

/// Whose dates count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dates {
    All,
    /// Those of leaf and anchor are judged elsewhere.
    Intermediates,
}

#[derive(Debug, Clone, Copy)]
pub struct Revocation<'a> {
    /// Each with its DER.
    pub crls: &'a [(&'a [u8], CrlLookup<'a>)],
    pub strictness: Strictness,
}

/// A valid path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'a> {
    /// From the anchor down to the leaf.
    pub certificates: Vec<&'a Certificate>,
    /// Position of the anchor among those that were given.
    pub anchor: usize,
}

impl<'a> Path<'a> {
    /// Who signed the leaf.
    pub fn issuer(&self) -> Option<&'a Certificate> {
        self.certificates.iter().rev().nth(1).copied()
    }
}

/// A leaf with the certificates behind it in its file, as kubeadm's peers see it; the dates of leaf and anchor are judged
/// elsewhere. `anchors`: an authority's file. What stands above an anchor in it restricts the leaf, too, as for OpenSSL, which goes on to
/// the root; Go stops at the anchor.
///
/// # Errors
/// What is wrong with the path that came furthest.
pub fn judge<'a>(
    leaf: &'a Certificate,
    intermediates: &'a [Certificate],
    anchors: &'a [Certificate],
    at: OffsetDateTime,
) -> Result<Path<'a>, PathError> {
    let path = validate(leaf, as_kubernetes(intermediates, anchors, at))?;
    let anchor = anchors.get(path.anchor);
    anchor.map_or(Ok(()), |anchor| restricted(leaf, intermediates, anchor, anchors, at)).map(|()| path)
}

/// What the certificates above an anchor, in its own file, forbid: names, one authority more.
///
/// # Errors
/// The rule that is broken; a file that leads to nothing above the anchor restricts nothing.
pub fn restricted(
    leaf: &Certificate,
    intermediates: &[Certificate],
    anchor: &Certificate,
    bundle: &[Certificate],
    at: OffsetDateTime,
) -> Result<(), PathError> {
    if anchor.is_self_issued() || !bundle.iter().any(|above| signs(above, anchor)) {
        return Ok(());
    }
    let is_top = |one: &&Certificate| one.is_self_issued() || !bundle.iter().any(|above| signs(above, one));
    let (tops, below): (Vec<&Certificate>, Vec<&Certificate>) = bundle.iter().partition(is_top);
    let tops: Vec<Certificate> = tops.into_iter().cloned().collect();
    let between: Vec<Certificate> = below.into_iter().chain(intermediates).cloned().collect();
    // Another authority of the root's name did not sign anything here, and dates of authorities are judged elsewhere.
    match validate(leaf, as_kubernetes(&between, &tops, at)) {
        Err(why) if why.is_about_rights() => Err(why),
        _ => Ok(()),
    }
}

fn signs(above: &Certificate, one: &Certificate) -> bool {
    above.fingerprint != one.fingerprint && one.issuer_der == above.subject_der
}

fn as_kubernetes<'a>(
    intermediates: &'a [Certificate],
    anchors: &'a [Certificate],
    at: OffsetDateTime,
) -> ValidationInput<'a> {
    let (links, dates) = (Links::Exact, Dates::Intermediates);
    let policies = PolicyInput::default();
    ValidationInput { anchors, intermediates, at, links, dates, policies, revocation: None }
}

/// The valid path to the first of the anchors that one leads to.
///
/// # Errors
/// What is wrong with the path that came furthest.
pub fn validate<'a>(leaf: &'a Certificate, input: ValidationInput<'a>) -> Result<Path<'a>, PathError> {
    validate_below(leaf, input, &mut Vec::new())
}

/// `asking`: whose validity is being asked about already, so that a CRL's signer cannot vouch for itself.
fn validate_below<'a>(
    leaf: &'a Certificate,
    input: ValidationInput<'a>,
    asking: &mut Vec<[u8; 32]>,
) -> Result<Path<'a>, PathError> {
    let mut paths = Vec::new();
    climb(vec![leaf], input, &mut paths, &mut 0);
    paths.sort_by_key(|path| path.anchor);
    let mut furthest: Option<(u8, usize, PathError)> = None;
    asking.push(leaf.fingerprint);
    let mut valid = None;
    for path in paths {
        let whole = match input.links {
            Links::Rfc5280 => dsa::inherited(&path.certificates),
            Links::Exact => path.certificates.iter().copied().map(Cow::Borrowed).collect(),
        };
        let whole: Vec<&Certificate> = whole.iter().map(Cow::as_ref).collect();
        let Err((depth, violation)) = check(&whole, input, asking) else {
            valid = Some(path);
            break;
        };
        let stage = violation.stage();
        if furthest.as_ref().is_none_or(|(best, deepest, _)| (stage, depth) > (*best, *deepest)) {
            furthest = Some((stage, depth, invalid(&path, depth, violation)));
        }
    }
    asking.pop();
    let none = || PathError::NoPath { issuer: leaf.issuer.clone() };
    valid.ok_or_else(|| furthest.map_or_else(none, |(.., error)| error))
}

fn invalid(path: &Path<'_>, depth: usize, violation: Violation) -> PathError {
    let part = match depth {
        0 => Part::Anchor,
        depth if depth + 1 < path.certificates.len() => Part::Intermediate,
        _ => Part::Leaf,
    };
    let subject = path.certificates.get(depth).map(|one| one.subject.clone()).unwrap_or_default();
    PathError::Invalid { part, depth, subject, violation }
}

/// Every way up by names, `path` going from the leaf upwards; found paths go downwards.
fn climb<'a>(path: Vec<&'a Certificate>, input: ValidationInput<'a>, found: &mut Vec<Path<'a>>, steps: &mut usize) {
    let Some(top) = path.last() else { return };
    *steps = steps.saturating_add(1);
    let issued = |above: &Certificate| same_name(&top.issuer, &above.subject);
    for (anchor, certificate) in input.anchors.iter().enumerate().filter(|(_, anchor)| issued(anchor)) {
        if found.len() < PATHS {
            let certificates = std::iter::once(certificate).chain(path.iter().rev().copied()).collect();
            found.push(Path { certificates, anchor });
        }
    }
    if path.len() > DEPTH || *steps > STEPS {
        return;
    }
    for above in input.intermediates.iter().filter(|above| issued(above)) {
        let met = path.iter().any(|seen| seen.fingerprint == above.fingerprint);
        if !met && found.len() < PATHS {
            climb(path.iter().copied().chain([above]).collect(), input, found, steps);
        }
    }
}

/// The first rule that is broken, with the position from the anchor; stage by stage, each from the anchor down.
fn check(
    path: &[&Certificate],
    input: ValidationInput<'_>,
    asking: &mut Vec<[u8; 32]>,
) -> Result<(), (usize, Violation)> {
    let links = || path.iter().zip(path.iter().skip(1)).enumerate().map(|(above, link)| (above + 1, link));
    for (depth, (issuer, certificate)) in links() {
        signed(certificate, issuer, input.links).map_err(|why| (depth, Violation::Signature(why)))?;
    }
    roles(path)?;
    for (depth, certificate) in path.iter().enumerate() {
        let unknown = certificate.unknown_critical.first().cloned();
        unknown.map_or(Ok(()), |oid| Err((depth, Violation::UnknownCritical(oid))))?;
        names(path, depth, certificate)?;
    }
    policies::check(path, input.policies).map_err(|(depth, why)| (depth, Violation::Policy(why)))?;
    for (depth, certificate) in path.iter().enumerate() {
        let between = depth > 0 && depth + 1 < path.len();
        if input.dates == Dates::All || between {
            dates(certificate, input.at).map_or(Ok(()), |violation| Err((depth, violation)))?;
        }
    }
    let Some(revocation) = input.revocation else { return Ok(()) };
    // 6.3.3 (f): whoever else signs CRLs leads to the same anchor.
    let input = ValidationInput { anchors: path.first().map_or(&[], |anchor| std::slice::from_ref(*anchor)), ..input };
    for (depth, (issuer, certificate)) in links() {
        let answer = revoked(certificate, issuer, revocation, input, asking);
        if answer.status != Status::Good {
            return Err((depth, Violation::Revocation(Box::new(answer))));
        }
    }
    Ok(())
}

/// Every signer is an authority, and no more of them follow each other than those above allow.
fn roles(path: &[&Certificate]) -> Result<(), (usize, Violation)> {
    // How many authorities that are not self-issued may still follow.
    let mut room = u32::MAX;
    let signers = path.split_last().map_or(&[][..], |(_, signers)| signers);
    for (depth, signer) in signers.iter().enumerate() {
        if !signer.is_ca {
            return Err((depth, Violation::NotAuthority));
        }
        if !signer.may_sign_certificates() {
            return Err((depth, Violation::NoKeyCertSign));
        }
        if depth > 0 && !self_issued(signer) {
            room = room.checked_sub(1).ok_or((depth, Violation::PathLength))?;
        }
        room = room.min(signer.path_len.unwrap_or(u32::MAX));
    }
    Ok(())
}

/// The name constraints of an authority against everything below it but self-issued intermediates.
fn names(path: &[&Certificate], depth: usize, authority: &Certificate) -> Result<(), (usize, Violation)> {
    let Some(value) = &authority.name_constraints else { return Ok(()) };
    let constraints =
        NameConstraints::read(value).map_err(|_| (depth, Violation::Unevaluated(Oid::new(NAME_CONSTRAINTS))))?;
    for (below, certificate) in path.iter().enumerate().skip(depth + 1) {
        if below + 1 < path.len() && self_issued(certificate) {
            continue;
        }
        if let Some(name) = constraints.forbidden(certificate) {
            return Err((below, Violation::Forbidden(name)));
        }
    }
    Ok(())
}

fn self_issued(certificate: &Certificate) -> bool {
    same_name(&certificate.issuer, &certificate.subject)
}

fn dates(certificate: &Certificate, at: OffsetDateTime) -> Option<Violation> {
    let Certificate { not_before, not_after, .. } = *certificate;
    if at < not_before {
        return Some(Violation::NotYetValid { not_before });
    }
    (at > not_after).then_some(Violation::Expired { not_after })
}

/// [`climb`] has compared the names as section 7.1 has it.
fn signed(certificate: &Certificate, issuer: &Certificate, links: Links) -> Result<(), VerifyError> {
    if links == Links::Exact {
        return certificate.signed_by(issuer);
    }
    verify_der(&certificate.der, &certificate.signature_algorithm, issuer, links.algorithms())
}

fn revoked(
    certificate: &Certificate,
    issuer: &Certificate,
    revocation: Revocation<'_>,
    input: ValidationInput<'_>,
    asking: &mut Vec<[u8; 32]>,
) -> Answer {
    let Revocation { crls, strictness } = revocation;
    let ours: Vec<_> = crls.iter().filter(|(_, crl)| may_speak_of(certificate, &crl.crl)).collect();
    let algorithms = input.links.algorithms();
    let by = |crl: &CrlLookup<'_>, der: &[u8], one: &Certificate| crl.crl.signed_with(der, one, algorithms).is_ok();
    let delegates: Vec<&Certificate> = if asking.len() > SIGNERS || ours.iter().all(|(der, crl)| by(crl, der, issuer)) {
        Vec::new()
    } else {
        let whole = ValidationInput { dates: Dates::All, policies: PolicyInput::default(), ..input };
        let others = input.intermediates.iter().filter(|other| other.spki_der != issuer.spki_der);
        let others = others.filter(|other| other.key_usage.is_some_and(|usage| usage.contains(KeyUsage::CRL_SIGN)));
        others
            .filter(|other| ours.iter().any(|(der, crl)| by(crl, der, other)))
            .filter(|other| !asking.contains(&other.fingerprint) && validate_below(other, whole, asking).is_ok())
            .chain(input.anchors.iter().filter(|anchor| anchor.spki_der != issuer.spki_der))
            .collect()
    };
    let authority = CrlIssuer { issuer, delegates: &delegates, strictness, algorithms };
    let vetted: Vec<Vetted<'_>> = ours.iter().map(|(der, crl)| vet(crl, der, authority, input.at)).collect();
    status(certificate, issuer, &vetted)
}

#[cfg(test)]
#[path = "path_tests.rs"]
mod tests;
