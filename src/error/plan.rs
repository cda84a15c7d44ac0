//! What existing material contradicts, in words.

use std::path::Path;

use crate::clock::rfc3339;
use crate::plan::decision::{Decision, Difference, Notice, Reconciled, Refusal};
use crate::plan::init::Item;
use crate::plan::layout::Layout;
use crate::x509::Mismatch;

use super::Error;

/// Everything that makes an `init` impossible as one error; `None`: nothing does.
pub fn refusal(directory: &Path, items: &[Item], reconciled: &Reconciled, layout: &Layout) -> Option<Error> {
    let what = |reason: &str| format!("cannot make the tree in {}: {reason}; nothing was written", directory.display());
    if !reconciled.refusals.is_empty() {
        let mut error = Error::new(what("an existing authority or key cannot be used"));
        for refusal in &reconciled.refusals {
            let (why, hint) = refused(refusal);
            error = error.because(why);
            if !error.hints.contains(&hint) {
                error = error.hint(hint);
            }
        }
        return Some(error);
    }
    let (mut conflicts, mut unsignable) = (Vec::new(), Vec::new());
    for (item, decision) in items.iter().zip(&reconciled.decisions) {
        match decision {
            Decision::Conflict(differences) => {
                let list: Vec<String> = differences.iter().map(difference).collect();
                conflicts.push(format!("{} ({}): {}", item.id(), item.public.path, list.join("; ")));
            }
            Decision::NoKey(authority) => {
                let reason = format!("missing, and the key of its signer {} is not here", authority.name());
                unsignable.push(format!("{} ({}): {reason}", item.id(), item.public.path));
            }
            _ => {}
        }
    }
    if conflicts.is_empty() && unsignable.is_empty() {
        return None;
    }
    let count = conflicts.len() + unsignable.len();
    let entries = if count == 1 { "1 entry does".to_owned() } else { format!("{count} entries do") };
    let mut error = Error::new(what(&format!("{entries} not fit the profile")));
    error.why = conflicts.iter().chain(&unsignable).cloned().collect();
    if !unsignable.is_empty() {
        let base = if *layout == Layout::Cluster { "the cluster directory" } else { "the tree" };
        error = error.hint("put the authority's key beside its certificate, if it may lie here").hint(format!(
            "or keep the authority external: make a key and a certificate signing request for each missing entry \
                 (kubeadm certs generate-csr), have the authority's owner sign them, and put the results into {base}"
        ));
    }
    if !conflicts.is_empty() {
        error = error.hint("re-issue what does not fit with --force (what is replaced is kept in .kpki/generations), or change the profile");
    }
    Some(error)
}

fn refused(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::AuthorityCertificateMissing { item, key } => (
            format!("{item}: {} is there but its certificate is not", key.path),
            "restore the authority's certificate, or move its key away to begin a new authority".to_owned(),
        ),
        Refusal::AuthorityUnreadable { item, why } => (
            format!("{item}: its certificate cannot be read: {why}"),
            "restore the certificate (PEM, the signing certificate first)".to_owned(),
        ),
        Refusal::AuthorityUnusable { item, why } => (
            format!("{item}: {why}"),
            "put the matching certificate and key of a certificate authority in place".to_owned(),
        ),
        Refusal::AuthorityExpired { item, not_after } => (
            format!("{item}: the authority expired at {}; nothing it signs would be accepted", rfc3339(*not_after)),
            "replace the authority, and with it everything it signed".to_owned(),
        ),
        Refusal::AuthorityNotYetValid { item, not_before } => (
            format!("{item}: the authority is not valid before {}", rfc3339(*not_before)),
            "check the clock, or wait".to_owned(),
        ),
        Refusal::ServiceAccountKeyMissing => (
            "sa: sa.pub is there but sa.key is not".to_owned(),
            "restore sa.key, or move sa.pub away to begin a new pair (every service account token becomes invalid)"
                .to_owned(),
        ),
        Refusal::ServiceAccountKeyUnreadable(why) => {
            (format!("sa: sa.key cannot be read: {why}"), "restore sa.key (PEM: PKCS#1, SEC1 or PKCS#8)".to_owned())
        }
    }
}

/// One difference between what lies there and what the profile wants.
pub fn difference(difference: &Difference) -> String {
    let list = |values: &[String]| values.join(", ");
    match difference {
        Difference::Unreadable(why) => format!("cannot be read: {why}"),
        Difference::CertificateMissing => "the key is there but the certificate is missing".to_owned(),
        Difference::KeyMissing => "the certificate is there but the key is missing".to_owned(),
        Difference::KeyUnreadable(why) => format!("the key cannot be read: {why}"),
        Difference::KeyMismatch => "the key does not match the certificate".to_owned(),
        Difference::WrongIssuer { found, wanted } => {
            format!("signed by {found}, not by this tree's {}", wanted.name())
        }
        Difference::NotSigned(authority, why) => format!("not signed by this tree's {}: {why}", authority.name()),
        Difference::Expired(at) => format!("expired at {}", rfc3339(*at)),
        Difference::NotYetValid(at) => format!("not valid before {}", rfc3339(*at)),
        Difference::MissingNames(sans) => {
            format!("missing names: {}", list(&sans.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        Difference::WrongAuthorityData => "its certificate-authority-data is not this tree's ca".to_owned(),
        Difference::NotTheSharedFile => "differs from the shared file in pki/".to_owned(),
        Difference::NotThePublicHalf => "sa.pub does not hold the public half of sa.key".to_owned(),
        Difference::Certificate(mismatch) => mismatch_text(mismatch),
    }
}

fn mismatch_text(mismatch: &Mismatch) -> String {
    mismatch.to_string()
}

/// Warnings about single entries; the same shortening of many is said once, with a count.
pub fn notices(notices: &[Notice]) -> Vec<String> {
    let mut lines = Vec::new();
    let shortened: Vec<_> = notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Shortened { item, not_after, .. } => Some((item, *not_after)),
            _ => None,
        })
        .collect();
    if let Some((item, not_after)) = shortened.first() {
        let others = match shortened.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        lines.push(format!(
            "{item}{others} ends with its authority at {}, sooner than the profile asks",
            rfc3339(*not_after)
        ));
    }
    for notice in notices {
        lines.push(match notice {
            Notice::Shortened { .. } => continue,
            Notice::OtherServer { item, found, wanted } => {
                format!("{item} talks to {found}, the profile says {wanted}; it is kept")
            }
            Notice::OtherAlgorithm { item, found, wanted } => {
                format!("{item} has a key of kind {found}, the profile says {wanted}; it is kept")
            }
            Notice::KubeletRotates { item } => {
                format!("{item} points to the kubelet's own rotating certificate; it is left alone")
            }
        });
    }
    lines
}
