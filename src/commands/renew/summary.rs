//! The rows of the report.

use super::material::Made;
use super::tree::{Seen, Tree};
use crate::blueprint::San;
use crate::clock::length;
use crate::commands::crls::{SignedCrlIssue, TreeCrl};
use crate::commands::facts::{facts, of_blueprint};
use crate::commands::restarts::restarts;
use crate::error;
use crate::plan::blueprints::BACK_DATE;
use crate::plan::renew::{Credential, Decision, Key, Renewal, Signer, Skipped};
use crate::report::renew::{Action, RenewalEntry, Restart, Side};
use crate::x509::Certificate;

/// One row for each credential that is there or should be.
pub fn entries(tree: &Tree<'_>, seen: &Seen, made: &[Made]) -> Vec<RenewalEntry> {
    let row = |(index, (credential, decision)): (usize, (&Credential, &Decision))| {
        let made = made.iter().find(|made| made.index == index);
        entry(tree, seen, credential, decision, made.map(|made| &made.certificate))
    };
    tree.credentials.iter().zip(&seen.decisions).enumerate().filter_map(row).collect()
}

fn entry(
    tree: &Tree<'_>,
    seen: &Seen,
    credential: &Credential,
    decision: &Decision,
    made: Option<&Certificate>,
) -> Option<RenewalEntry> {
    let paths = std::iter::once(&credential.public).chain(credential.private.as_ref());
    let base = RenewalEntry {
        node: credential.node.clone(),
        name: credential.name.clone(),
        paths: paths.map(|place| tree.shown(place)).collect(),
        ..RenewalEntry::default()
    };
    Some(match decision {
        Decision::Absent => return None,
        Decision::Keep(certificate) => RenewalEntry { action: Action::Keep, old: Some(side(certificate)), ..base },
        Decision::Skipped(left, certificate) => RenewalEntry {
            action: if left.is_gap() { Action::Skipped } else { Action::NotApplicable },
            reasons: vec![error::left(left, &credential.id())],
            old: certificate.as_deref().map(side).filter(|_| !matches!(left, Skipped::Unreadable(_))),
            ..base
        },
        Decision::Renew(renewal) => RenewalEntry {
            action: if renewal.old.is_some() { Action::Renew } else { Action::Create },
            reasons: renewal.reasons.iter().map(error::reason).collect(),
            old: renewal.old.as_deref().map(side),
            new: Some(made.map_or_else(|| planned(renewal, seen, credential), side)),
            names_added: texts(&renewal.names.added),
            names_removed: texts(&renewal.names.removed),
            names_surplus: texts(&renewal.names.surplus),
            key_reused: matches!(renewal.key, Key::Same(_)),
            ..base
        },
    })
}

fn side(certificate: &Certificate) -> Side {
    Side { algorithm: certificate.key.to_string(), facts: facts(certificate) }
}

fn planned(renewal: &Renewal, seen: &Seen, credential: &Credential) -> Side {
    let issuer = seen.signers.get(&credential.authority).and_then(Signer::certificate);
    let issuer = issuer.map(|issuer| issuer.subject.clone()).unwrap_or_default();
    Side { algorithm: renewal.algorithm.to_string(), facts: of_blueprint(&renewal.blueprint, &issuer) }
}

fn texts(names: &[San]) -> Vec<String> {
    names.iter().map(San::to_string).collect()
}

/// The revocation lists that are signed anew; `edited`: they have been.
pub fn lists(seen: &Seen, edited: &[SignedCrlIssue]) -> Vec<crate::report::revoke::CrlRow> {
    let row = |list: &&TreeCrl| {
        let new = edited.iter().find(|one| one.authority == list.authority);
        crate::commands::revoke::row(list, new, true)
    };
    seen.due_lists().iter().map(row).collect()
}

/// What is worth a warning about what is made.
pub fn warnings(tree: &Tree<'_>, seen: &Seen) -> Vec<String> {
    let mut lines: Vec<String> = seen
        .held
        .iter()
        .map(|id| {
            format!("{id} is held (certificateHold) and is not renewed for that: kpki release or kpki revoke decides")
        })
        .chain(seen.unusable_lists.iter().cloned())
        .collect();
    let mut cut: Vec<(String, String)> = Vec::new();
    let mut guessed: Vec<(String, String)> = Vec::new();
    for (credential, decision) in tree.credentials.iter().zip(&seen.decisions) {
        let Decision::Renew(renewal) = decision else { continue };
        if renewal.shortened.is_some() {
            cut.push((credential.id(), crate::clock::rfc3339(renewal.blueprint.not_after)));
        }
        if let Some(lifetime) = renewal.guessed {
            guessed.push((credential.id(), length(lifetime - BACK_DATE)));
        }
        if let Some((found, wanted)) = &renewal.other_name {
            lines.push(format!(
                "{} keeps its CN {found:?}, where {wanted:?} is expected; if that is wrong, move it away and renew it again",
                credential.id()
            ));
        }
        if !renewal.dropped.is_empty() {
            let oids: Vec<String> = renewal.dropped.iter().map(ToString::to_string).collect();
            lines.push(format!("{} loses extensions that kpki does not write: {}", credential.id(), oids.join(", ")));
        }
        if !renewal.names.surplus.is_empty() {
            lines.push(format!(
                "{} carries names the profile does not ask for ({}); they are kept (--prune-sans removes them)",
                credential.id(),
                texts(&renewal.names.surplus).join(", ")
            ));
        }
    }
    if let Some((first, lifetime)) = guessed.first() {
        lines.push(format!(
            "{first}{}: the lifetime cannot be read off the dates; {lifetime} taken; state certificateValidityPeriod in the profile",
            more(guessed.len())
        ));
    }
    if let Some((first, at)) = cut.first() {
        let more = more(cut.len());
        lines.push(format!("{first}{more}: cut to the authority's end at {at}; plan the authority's rotation"));
    }
    lines
}

fn more(all: usize) -> String {
    if all > 1 { format!(" and {} more", all - 1) } else { String::new() }
}

/// What has to happen before the new certificates are used.
pub fn restart(entries: &[RenewalEntry]) -> Vec<Restart> {
    let made = entries.iter().filter(|entry| matches!(entry.action, Action::Renew | Action::Create));
    restarts(made.map(|entry| (entry.node.as_deref(), entry.name.as_str())))
}
