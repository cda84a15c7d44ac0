//! Whether a certificate that somebody else signed may take an entry's place. Pure: facts in, objections out.

use time::OffsetDateTime;

use crate::blueprint::{Blueprint, ExtendedKeyUsage, Name, San};
use crate::ca::{CaError, Issuer};
use crate::catalog::CaId;
use crate::tree::EntryId;
use crate::x509::{
    BundleError, Certificate, ChainError, Mismatch, PathError, Usage, VerifyError, compare, path, verify_for,
};

/// Why it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    Expired(OffsetDateTime),
    NotYetValid(OffsetDateTime),
    /// The tree has no certificate of the authority that is to have signed it.
    AuthorityMissing(CaId),
    /// No valid path leads from it to the tree's authority.
    Path(CaId, PathError),
    /// A TLS peer would refuse it all the same.
    Peer(CaId, ChainError),
    Certificate(Mismatch),
    MissingNames(Vec<San>),
    // Of an authority:
    Unusable(CaError),
    /// A certificate behind it in the file did not sign the one before.
    BrokenChain(VerifyError),
    /// What lies in the tree was signed by another one.
    SignedByAnother(Vec<String>),
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
    /// Its key is that of several entries.
    AmbiguousKey,
    /// Neither profile nor request says what the entry is to be.
    Unknown(EntryId),
    /// It is for the key of this entry, and not what the entry is to be.
    Unfit(EntryId, Vec<Objection>),
    /// Another of the files is for the same entry.
    Twice,
    // Of an authority:
    /// No waiting key belongs to it, and none of the authorities was named.
    UnnamedAuthority,
    /// The key in the tree is that of another certificate.
    OtherKey(CaId),
    UnfitAuthority(Vec<Objection>),
}

/// What a certificate is held against.
#[derive(Debug)]
pub struct Expected<'a> {
    pub blueprint: &'a Blueprint,
    /// Names it may lack: the one before has them, the profile does not ask for them.
    pub dispensable: &'a [San],
    pub authority: CaId,
    /// The tree's certificate of that authority.
    pub signer: Option<&'a Certificate>,
    pub now: OffsetDateTime,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub objections: Vec<Objection>,
    /// It says more than was asked for: names and usages.
    pub surplus: Vec<String>,
    /// Names of the one before that it lacks.
    pub lost: Vec<San>,
}

/// `rest`: what follows the leaf in its file.
pub fn judge(leaf: &Certificate, rest: &[Certificate], expected: &Expected<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.objections.extend(dates(leaf, expected.now));
    let mut missing = Vec::new();
    for mismatch in compare(leaf, expected.blueprint) {
        match mismatch {
            Mismatch::Subject { wanted, found } if wanted.says_the_same(&found) => {}
            Mismatch::Order(_) | Mismatch::NotBefore { .. } | Mismatch::NotAfter { .. } => {}
            Mismatch::KeyUsage { found: Some(found), wanted } if found.contains(wanted) => {}
            // keyEncipherment is for RSA key exchange, which nothing here uses.
            Mismatch::KeyUsage { found: Some(found), .. }
                if found.contains(crate::blueprint::KeyUsage::DIGITAL_SIGNATURE) => {}
            Mismatch::KeyUsage { found: None, .. } => {}
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
    match expected.signer {
        None => verdict.objections.push(Objection::AuthorityMissing(expected.authority)),
        Some(signer) => verdict.objections.extend(path(leaf, rest, signer, expected)),
    }
    verdict
}

fn dates(certificate: &Certificate, now: OffsetDateTime) -> Option<Objection> {
    if certificate.not_after < now {
        return Some(Objection::Expired(certificate.not_after));
    }
    (now < certificate.not_before).then_some(Objection::NotYetValid(certificate.not_before))
}

/// The path to the tree's authority, and what a TLS peer that trusts it says; the leaf's own dates are judged already.
fn path(leaf: &Certificate, rest: &[Certificate], signer: &Certificate, expected: &Expected<'_>) -> Option<Objection> {
    if dates(leaf, expected.now).is_some() || leaf.is_ca {
        return None;
    }
    if let Err(why) = path::judge(leaf, rest, std::slice::from_ref(signer), expected.now) {
        return Some(Objection::Path(expected.authority, why));
    }
    let usages = [(ExtendedKeyUsage::ServerAuth, Usage::Server), (ExtendedKeyUsage::ClientAuth, Usage::Client)];
    let wanted = &expected.blueprint.extended_key_usages;
    let checked = usages.into_iter().filter(|(usage, _)| {
        // One that is missing altogether is told apart already.
        wanted.contains(usage) && leaf.extended_key_usages.contains(usage)
    });
    let mut checked: Vec<(ExtendedKeyUsage, Usage)> = checked.collect();
    if checked.is_empty() {
        // It is for neither, as what lies there now is: the path is the same for every use.
        checked.push((ExtendedKeyUsage::ClientAuth, Usage::Client));
    }
    checked
        .into_iter()
        .map(|(_, usage)| verify_for(leaf, rest, signer, usage, expected.now))
        .find_map(Result::err)
        .map(|why| Objection::Peer(expected.authority, why))
}

/// The certificates behind a leaf that a peer needs: neither the tree's own nor a root.
pub fn kept_chain(rest: &[Certificate], trusted: &[Certificate]) -> Vec<Certificate> {
    let needed = |one: &&Certificate| !one.is_self_issued() && !trusted.iter().any(|known| known.der == one.der);
    rest.iter().filter(needed).cloned().collect()
}

/// Whether a certificate may become the tree's authority. `signed`: what the tree has that this authority is to have signed.
pub fn judge_authority(
    bundle: &[Certificate],
    wanted: Option<&Blueprint>,
    signed: &[(String, Certificate)],
    now: OffsetDateTime,
) -> Vec<Objection> {
    let Some(authority) = bundle.first() else { return Vec::new() };
    let mut objections: Vec<Objection> = dates(authority, now).into_iter().collect();
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
