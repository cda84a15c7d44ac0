//! Whether an externally signed certificate may be imported for an entry. Pure: facts in, objections out.

use time::OffsetDateTime;

use crate::blueprint::{Blueprint, ExtendedKeyUsage, KeyUsage, Name, San};
use crate::ca::{CaError, Issuer};
use crate::catalog::CaId;
use crate::clock::CLOCK_SKEW;
use crate::tree::EntryId;
use crate::x509::{
    BundleError, Certificate, ChainError, Mismatch, PathError, Usage, VerifyError, compare, path, same_name, verify_for,
};

/// Why it may not be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    Expired(OffsetDateTime),
    NotYetValid(OffsetDateTime),
    /// The tree has no certificate of its authority.
    AuthorityMissing(CaId),
    /// No valid path leads from it to what is trusted.
    Path(Anchors, PathError),
    /// A TLS peer would refuse it.
    Peer(Anchors, ChainError),
    Certificate(Mismatch),
    MissingNames(Vec<San>),
    /// keyCertSign in a certificate that is no authority's.
    MaySign,
    /// It is negative or 0.
    Serial,
    /// Another certificate of its issuer, by this name, has its serial number.
    SerialTaken(String),
    // Of an authority:
    Unusable(CaError),
    /// A certificate of its chain did not sign the one before.
    BrokenChain(VerifyError),
    /// Certificates in the tree were signed by another authority.
    SignedByAnother(Vec<String>),
}

/// Where the path of a certificate has to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Anchors {
    /// At the tree's certificate of this authority.
    Authority(CaId),
    /// At one of the roots in this file.
    Roots(String),
}

/// Why a file cannot be put in place at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Bundle(BundleError),
    /// No key belongs to it; the entry that was named, and the certificate's subject.
    NoKey {
        named: Option<String>,
        subject: Name,
    },
    /// Several entries have its key.
    AmbiguousKey,
    /// Neither profile nor request has the entry's blueprint.
    Unknown(EntryId),
    /// It is for the key of this entry and does not fit the entry.
    Unfit(EntryId, Vec<Objection>),
    /// A new authority signed it, which does not sign for the tree yet, and no request of this entry waits for that.
    BeforeTheSwitch(EntryId),
    /// The authority that is to be replaced signed it, and its request waits for the new one.
    ByTheOld(EntryId),
    /// Another of the files is for the same entry.
    Twice,
    /// More than one certificate that is no authority's: their subjects, and the entry whose key each is for.
    Several(Vec<(Name, Option<EntryId>)>),
    // Of an authority:
    /// No pending request has its key, and no authority was named.
    UnnamedAuthority,
    /// The key in the tree is that of another certificate.
    OtherKey(CaId),
    UnfitAuthority(Vec<Objection>),
}

/// The expectation for a certificate.
#[derive(Debug)]
pub struct Expected<'a> {
    pub blueprint: &'a Blueprint,
    /// Names it may lack: in the previous certificate but not in the profile.
    pub dispensable: &'a [San],
    pub anchors: Anchors,
    /// Their certificates; none where the tree has none of its authority.
    pub trusted: &'a [Certificate],
    /// The tree's other certificates of that authority, by name.
    pub issued: &'a [(String, Certificate)],
    pub now: OffsetDateTime,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub objections: Vec<Objection>,
    /// Names and usages that were not requested.
    pub surplus: Vec<String>,
    /// Names of the previous certificate that it lacks.
    pub lost: Vec<San>,
    /// An external authority wrote another subject than was requested.
    pub other_subject: Option<Name>,
}

/// The instant as of which a certificate is judged. A signer that dates nothing back has signed after the run began, and its clock may
/// be ahead of this machine's: a certificate that begins so soon is judged as of its beginning.
pub fn instant(leaf: &Certificate, now: OffsetDateTime) -> OffsetDateTime {
    let is_soon = leaf.not_before - now <= CLOCK_SKEW.duration();
    if is_soon { leaf.not_before.max(now) } else { now }
}

/// `rest`: what follows the leaf in its file.
pub fn judge(leaf: &Certificate, rest: &[Certificate], expected: &Expected<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.objections.extend(dates(leaf, expected.now));
    let mut missing = Vec::new();
    for mismatch in compare(leaf, expected.blueprint) {
        match mismatch {
            Mismatch::Subject { wanted, found } if wanted.says_the_same(&found) => {}
            Mismatch::Subject { found, .. } if matches!(expected.anchors, Anchors::Roots(_)) => {
                verdict.other_subject = Some(found);
            }
            Mismatch::Order(_) | Mismatch::NotBefore { .. } | Mismatch::NotAfter { .. } => {}
            other @ Mismatch::KeyUsage { .. } if is_of_its_signer(&other) => {}
            Mismatch::SurplusSan(san) => verdict.surplus.push(san.to_string()),
            Mismatch::SurplusExtendedKeyUsage(usage) => verdict.surplus.push(usage.name().to_owned()),
            Mismatch::MissingSan(san) if expected.dispensable.contains(&san) => verdict.lost.push(san),
            Mismatch::MissingSan(san) => missing.push(san),
            other => verdict.objections.push(Objection::Certificate(other)),
        }
    }
    if !missing.is_empty() {
        verdict.objections.push(Objection::MissingNames(missing));
    }
    if !leaf.is_ca && leaf.key_usage.is_some_and(|usage| usage.contains(KeyUsage::KEY_CERT_SIGN)) {
        verdict.objections.push(Objection::MaySign);
    }
    verdict.objections.extend(serial(leaf));
    verdict.objections.extend(taken(leaf, expected).map(Objection::SerialTaken));
    match (&expected.anchors, expected.trusted) {
        (Anchors::Authority(authority), []) => verdict.objections.push(Objection::AuthorityMissing(*authority)),
        (_, trusted) => verdict.objections.extend(path(leaf, rest, trusted, expected)),
    }
    verdict
}

/// What an external authority decides, whatever was requested: the subject, and further key usages.
pub fn is_of_its_signer(mismatch: &Mismatch) -> bool {
    match mismatch {
        Mismatch::Subject { .. } | Mismatch::KeyUsage { found: None, .. } => true,
        // keyEncipherment is for RSA key exchange, which nothing here uses.
        Mismatch::KeyUsage { found: Some(found), wanted } => {
            found.contains(*wanted) || found.contains(KeyUsage::DIGITAL_SIGNATURE)
        }
        _ => false,
    }
}

/// Who has its serial number from the same issuer (RFC 5280 section 4.1.2.2): a CRL could not tell the two apart.
fn taken(leaf: &Certificate, expected: &Expected<'_>) -> Option<String> {
    let signer = match &expected.anchors {
        Anchors::Authority(authority) => expected.trusted.first().map(|signer| (authority.name(), signer)),
        Anchors::Roots(_) => None,
    };
    let others = expected.issued.iter().map(|(name, one)| (name.as_str(), one));
    let same = |one: &Certificate| one.serial == leaf.serial && same_name(&one.issuer, &leaf.issuer);
    signer.into_iter().chain(others).find(|(_, one)| same(one) && one.der != leaf.der).map(|(name, _)| name.to_owned())
}

/// RFC 5280 section 4.1.2.2 wants a positive one; Go, and so Kubernetes, refuses to read a negative one.
fn serial(certificate: &Certificate) -> Option<Objection> {
    (!certificate.has_positive_serial()).then_some(Objection::Serial)
}

fn dates(certificate: &Certificate, now: OffsetDateTime) -> Option<Objection> {
    if certificate.not_after < now {
        return Some(Objection::Expired(certificate.not_after));
    }
    (now < certificate.not_before).then_some(Objection::NotYetValid(certificate.not_before))
}

/// The path to what is trusted, and the verdict of a TLS peer that trusts it; the leaf's own dates are judged
/// already.
fn path(
    leaf: &Certificate,
    rest: &[Certificate],
    trusted: &[Certificate],
    expected: &Expected<'_>,
) -> Option<Objection> {
    if dates(leaf, expected.now).is_some() || leaf.is_ca {
        return None;
    }
    let anchor = match path::judge(leaf, rest, trusted, expected.now) {
        Ok(path) => trusted.get(path.anchor)?,
        Err(why) => return Some(Objection::Path(expected.anchors.clone(), why)),
    };
    let usages = [(ExtendedKeyUsage::ServerAuth, Usage::Server), (ExtendedKeyUsage::ClientAuth, Usage::Client)];
    let wanted = &expected.blueprint.extended_key_usages;
    let checked = usages.into_iter().filter(|(usage, _)| {
        // A missing authority is a separate objection.
        wanted.contains(usage) && leaf.extended_key_usages.contains(usage)
    });
    let mut checked: Vec<(ExtendedKeyUsage, Usage)> = checked.collect();
    if checked.is_empty() {
        // It has neither usage, like the existing certificate: the path is the same for every usage.
        checked.push((ExtendedKeyUsage::ClientAuth, Usage::Client));
    }
    checked
        .into_iter()
        .map(|(_, usage)| verify_for(leaf, rest, anchor, usage, expected.now))
        .find_map(Result::err)
        .map(|why| Objection::Peer(expected.anchors.clone(), why))
}

/// The intermediates after a leaf that a peer needs: neither the tree's own nor a root.
pub fn kept_chain(rest: &[Certificate], trusted: &[Certificate]) -> Vec<Certificate> {
    let needed = |one: &&Certificate| !one.is_self_issued() && !trusted.iter().any(|known| known.der == one.der);
    rest.iter().filter(needed).cloned().collect()
}

/// Whether a certificate may become the tree's authority. `signed`: the tree's certificates of this authority.
pub fn judge_authority(
    bundle: &[Certificate],
    wanted: Option<&Blueprint>,
    signed: &[(String, Certificate)],
    now: OffsetDateTime,
) -> Vec<Objection> {
    let Some(authority) = bundle.first() else { return Vec::new() };
    let mut objections: Vec<Objection> = dates(authority, now).into_iter().collect();
    objections.extend(serial(authority));
    objections.extend(Issuer::check(authority).err().map(Objection::Unusable));
    if let Some(wanted) = wanted
        && !authority.subject.says_the_same(&wanted.subject)
    {
        let (wanted, found) = (wanted.subject.clone(), authority.subject.clone());
        objections.push(Objection::Certificate(Mismatch::Subject { wanted, found }));
    }
    let links = bundle.windows(2).filter_map(|pair| match pair {
        [below, above] => below.signed_by(above).err(),
        _ => None,
    });
    objections.extend(links.map(Objection::BrokenChain));
    let others: Vec<String> =
        signed.iter().filter(|(_, leaf)| leaf.signed_by(authority).is_err()).map(|(id, _)| id.clone()).collect();
    if !others.is_empty() {
        objections.push(Objection::SignedByAnother(others));
    }
    objections
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
