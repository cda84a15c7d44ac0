//! Whether older files can be restored into a tree: a certificate and key of which only one is restored do not match.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::ca::PrivateKey;
use crate::clock::rfc3339;
use crate::kubeconfig::{self, Credentials};
use crate::revocation::Revoked;
use crate::store::Roots;
use crate::tree::layout::Place;
use crate::x509::{Certificate, parse_pem_bundle};

/// Files with their bytes; `None`: there is none, or there is to be none.
pub type Files = BTreeMap<Place, Option<Zeroizing<Vec<u8>>>>;

/// The objections to a restore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Certificates that would not match the key beside them, though they may have before.
    pub torn: Vec<Place>,
    /// Warnings as text.
    pub warnings: Vec<String>,
}

/// The keys and certificates that belong to restored files.
pub fn siblings<'a>(back: impl IntoIterator<Item = &'a Place>) -> BTreeSet<Place> {
    back.into_iter().filter_map(pair).flat_map(|(certificate, key)| [certificate, key]).collect()
}

/// `back`: every file as it was at that time; `there`: the existing files of these, of their siblings and of the
/// authorities; `authorities`: the certificates of those that sign this tree.
pub fn judge(back: &Files, there: &Files, authorities: &[Place], roots: &Roots, now: OffsetDateTime) -> Judgement {
    let result = |place: &Place| match back.get(place) {
        Some(then) => then.as_ref(),
        None => there.get(place).and_then(Option::as_ref),
    };
    let changes = |place: &Place| back.get(place).is_some_and(|then| there.get(place) != Some(then));
    let signers: Vec<Certificate> =
        authorities.iter().filter_map(result).filter_map(|pem| parse_pem_bundle(pem).ok()).flatten().collect();
    let mut judgement = Judgement::default();
    let pairs: BTreeSet<(Place, Place)> = back.keys().filter_map(pair).collect();
    for (certificate, key) in pairs.iter().filter(|(certificate, key)| changes(certificate) || changes(key)) {
        let Some(bundle) = result(certificate).and_then(|pem| parse_pem_bundle(pem).ok()) else { continue };
        if let Some(pem) = result(key)
            && !fits(&bundle, pem)
        {
            // Certificate and key are both restored, as they were.
            match back.contains_key(certificate) && back.contains_key(key) {
                true => judgement
                    .warnings
                    .push(format!("{} does not match its key, as at that time", certificate.shown(roots))),
                false => judgement.torn.push(certificate.clone()),
            }
        }
        judgement
            .warnings
            .extend(bundle.first().and_then(|leaf| doubt(&certificate.shown(roots), leaf, &signers, now)));
    }
    for place in back.keys().filter(|place| place.path.ends_with(".conf") && changes(place)) {
        let Some(Credentials::Embedded { certificate, key }) =
            result(place).and_then(|bytes| kubeconfig::read(bytes).ok()).map(|read| read.credentials)
        else {
            continue;
        };
        let Ok(bundle) = parse_pem_bundle(&certificate) else { continue };
        if !fits(&bundle, &key) {
            judgement
                .warnings
                .push(format!("the certificate in {} does not match its key, as at that time", place.shown(roots)));
        }
        judgement.warnings.extend(bundle.first().and_then(|leaf| doubt(&place.shown(roots), leaf, &signers, now)));
    }
    judgement
}

/// A file whose certificate programs that read CRLs refuse.
pub fn revoked(path: &str, entry: &Revoked) -> String {
    let state = if entry.is_hold() { "held" } else { "revoked" };
    let reason = entry.reason.filter(|_| !entry.is_hold()).map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{path} is {state} since {}{reason}", rfc3339(entry.at))
}

/// Certificate and key of which a file is one half.
fn pair(place: &Place) -> Option<(Place, Place)> {
    let stem = place.path.strip_suffix(".crt").or_else(|| place.path.strip_suffix(".key"))?;
    let half = |end: &str| Place { root: place.root, path: format!("{stem}.{end}") };
    Some((half("crt"), half("key")))
}

/// Whether the key matches the certificate, or any of an authority's bundle. A key of an unknown kind is not judged.
fn fits(bundle: &[Certificate], key: &[u8]) -> bool {
    let Ok(key) = PrivateKey::from_pem(key) else { return true };
    let authority = bundle.first().is_some_and(Certificate::may_sign_certificates);
    let count = if authority { bundle.len() } else { 1 };
    bundle.iter().take(count).any(|certificate| key.matches(certificate))
}

/// What a verifier would object to.
fn doubt(path: &str, leaf: &Certificate, signers: &[Certificate], now: OffsetDateTime) -> Option<String> {
    if leaf.not_after < now {
        return Some(format!("{path} ended at {}", rfc3339(leaf.not_after)));
    }
    // The kubelet signs its own serving certificate.
    let known = signers.iter().any(|signer| leaf.names_issuer(signer));
    if leaf.is_self_issued() || path.ends_with("kubelet.crt") && !known || signers.is_empty() {
        return None;
    }
    match signers.iter().any(|signer| leaf.signed_by(signer).is_ok()) {
        true => None,
        false => Some(format!("{path} is signed by none of the tree's authorities (issuer {})", leaf.issuer)),
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
