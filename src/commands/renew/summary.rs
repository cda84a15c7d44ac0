//! The rows of the report.

use super::beside;
use super::evaluate::Evaluation;
use super::external;
use super::lists;
use super::renewing::Renewing;
use super::repair;
use crate::blueprint::San;
use crate::clock::length;
use crate::error;
use crate::plan::blueprints::BACK_DATE;
use crate::plan::renew::{Credential, Decision, Key, Reason, Renewal, Rewritten, Skipped};
use crate::report::facts::{facts, of_blueprint};
use crate::report::renew::{self as report, Action, RenewalEntry, Side};
use crate::report::restart::{Changed, restarts};
use crate::workspace::crl_issue::of_the_future;
use crate::workspace::reissue::Made;
use crate::x509::Certificate;
use time::Duration;

/// The report after or before the renewal.
pub fn report(renewing: &Renewing<'_>, evaluation: &Evaluation, made: &[Made]) -> report::Tree {
    let mut entries = entries(renewing, evaluation, made);
    renewing.describe_issued(&mut entries, evaluation);
    repair::describe(&mut entries, evaluation, &renewing.session.tree);
    let (directory, cluster) = renewing.session.names();
    let renewed = entries.iter().filter(|entry| entry.is_made());
    report::Tree {
        directory,
        cluster,
        // The restarts that are needed before the new certificates are used.
        restart: restarts(renewed.map(changed), renewing.session.profile()),
        ship: beside::ship(renewing, evaluation, &entries),
        entries,
        lists: lists::rows(evaluation, &[]),
        warnings: warnings(renewing, evaluation),
        unopened: evaluation.unopened(),
        closed: renewing.closed_keys(evaluation),
        elsewhere: external::elsewhere(renewing, evaluation),
        recorded: renewing.recorded(evaluation),
        kubelet_dir: renewing.session.target.origin.kubelet_dir.clone(),
        ..report::Tree::default()
    }
}

pub fn changed(entry: &RenewalEntry) -> Changed {
    let data = Rewritten::Kubeconfig { authority: true, server: None };
    let authority_data =
        [error::reason(&Reason::AuthorityData), error::rewritten(&data)].contains(&entry.reasons.join(";"));
    Changed { id: entry.id.clone(), authority_data }
}

/// One row for each credential that exists or should.
fn entries(renewing: &Renewing<'_>, evaluation: &Evaluation, made: &[Made]) -> Vec<RenewalEntry> {
    let row = |(credential, decision): (&Credential, &Decision)| {
        let made = made.iter().find(|made| made.id == credential.id);
        entry(renewing, evaluation, credential, decision, made.map(|made| &made.certificate))
    };
    renewing.credentials.iter().zip(&evaluation.decisions).filter_map(row).collect()
}

fn entry(
    renewing: &Renewing<'_>,
    evaluation: &Evaluation,
    credential: &Credential,
    decision: &Decision,
    made: Option<&Certificate>,
) -> Option<RenewalEntry> {
    let base = RenewalEntry {
        id: credential.id.clone(),
        paths: renewing.session.tree.display_paths(credential.places()),
        ..RenewalEntry::default()
    };
    Some(match decision {
        Decision::Absent => return None,
        Decision::Keep(certificate) => RenewalEntry { action: Action::Keep, old: Some(side(certificate)), ..base },
        Decision::Skipped(left, certificate) => RenewalEntry {
            action: match left {
                Skipped::ExternalInWindow(_) if renewing.request.safe_host.is_some() => Action::NotApplicable,
                left if left.is_gap() => Action::Skipped,
                _ => Action::NotApplicable,
            },
            reasons: std::iter::once(error::left(
                left,
                &credential.id.to_string(),
                &renewing.session.target.origin,
                credential.issuer(renewing.session.profile()).is_some(),
            ))
            .chain(left.fault().map(ToString::to_string))
            .collect(),
            unopened: left.fault().is_some(),
            old: certificate.as_deref().map(side).filter(|_| !matches!(left, Skipped::Unreadable(_))),
            ..base
        },
        Decision::Renew(renewal) => RenewalEntry {
            action: if renewal.old.is_some() { Action::Renew } else { Action::Create },
            reasons: renewal.reasons.iter().map(error::reason).collect(),
            old: renewal.old.as_deref().map(side),
            new: Some(made.map_or_else(|| planned(renewal, evaluation, credential), side)),
            names_added: texts(&renewal.names.added),
            names_removed: texts(&renewal.names.removed),
            names_surplus: texts(&renewal.names.surplus),
            key_reused: matches!(renewal.key, Key::Same(_)),
            ..base
        },
    })
}

pub fn side(certificate: &Certificate) -> Side {
    Side { algorithm: certificate.key.to_string(), facts: facts(certificate) }
}

fn planned(renewal: &Renewal, evaluation: &Evaluation, credential: &Credential) -> Side {
    let issuer = credential.authority.and_then(|authority| evaluation.snapshot.certificate(authority));
    let issuer = issuer.map(|issuer| issuer.subject.clone()).unwrap_or_default();
    Side { algorithm: renewal.algorithm.to_string(), facts: of_blueprint(&renewal.blueprint, &issuer) }
}

fn texts(names: &[San]) -> Vec<String> {
    names.iter().map(San::to_string).collect()
}

/// Warnings about the renewals.
fn warnings(renewing: &Renewing<'_>, evaluation: &Evaluation) -> Vec<String> {
    let origin = &renewing.session.target.origin;
    let mut lines: Vec<String> = evaluation
        .held
        .iter()
        .map(|id| {
            format!(
                "{id} is held (certificateHold) and therefore not renewed; revoke it, or release it: {}",
                origin.command("release", &[id.to_string()], &[])
            )
        })
        .chain(evaluation.unusable_crls.iter().cloned())
        .chain(evaluation.due_crls().into_iter().filter_map(|crl| of_the_future(crl, renewing.session.run.now)))
        .collect();
    lines.extend(beside::service_account(renewing).into_iter().chain(evaluation.requested.clone()));
    lines.extend(evaluation.unopened().into_iter().chain(evaluation.to_come.clone()));
    lines.extend(evaluation.issued.warnings.iter().cloned());
    lines.extend(renewing.not_recorded(evaluation));
    lines.extend(renewing.kept_names(evaluation));
    lines.extend(renewing.session.target.strays());
    let mut cut: Vec<(String, String)> = Vec::new();
    let mut guessed: Vec<(String, String)> = Vec::new();
    let mut short: Vec<(String, String, String)> = Vec::new();
    for (credential, decision) in renewing.credentials.iter().zip(&evaluation.decisions) {
        let Decision::Renew(renewal) = decision else { continue };
        if renewal.shortened.is_some() {
            cut.push((credential.id.to_string(), crate::clock::rfc3339(renewal.blueprint.not_after)));
        }
        if let (Some(old), Some(lifetime)) = (renewal.too_short, renewal.guessed) {
            let old = (old - BACK_DATE).max(Duration::SECOND);
            short.push((credential.id.to_string(), length(old), length(lifetime - BACK_DATE)));
        } else if let Some(lifetime) = renewal.guessed {
            guessed.push((credential.id.to_string(), length(lifetime - BACK_DATE)));
        }
        if let Some((found, wanted)) = &renewal.other_name {
            lines.push(format!(
                "{} keeps its CN {found:?}, expected {wanted:?}; if it is wrong, move the file away and renew it again",
                credential.id
            ));
        }
        if !renewal.dropped.is_empty() {
            let oids: Vec<String> = renewal.dropped.iter().map(ToString::to_string).collect();
            lines.push(format!("{} loses extensions that kpki does not write: {}", credential.id, oids.join(", ")));
        }
        if !renewal.names.surplus.is_empty() {
            lines.push(format!(
                "{} has names that are not in the profile ({}); they are kept (--prune-sans removes them)",
                credential.id,
                texts(&renewal.names.surplus).join(", ")
            ));
        }
    }
    if let Some((first, old, lifetime)) = short.first() {
        lines.push(format!(
            "{first}{}: a lifetime of {old} is too short to be repeated; {lifetime} is used; set certificateValidityPeriod in the profile",
            more(short.len())
        ));
    }
    if let Some((first, lifetime)) = guessed.first() {
        lines.push(format!(
            "{first}{}: the lifetime is not clear from the dates; {lifetime} is used; set certificateValidityPeriod in the profile",
            more(guessed.len())
        ));
    }
    if let Some((first, at)) = cut.first() {
        let more = more(cut.len());
        lines.push(format!(
            "{first}{more}: shortened to the authority's notAfter {at}; renew the authority, or plan its rotation"
        ));
    }
    lines
}

fn more(all: usize) -> String {
    if all > 1 { format!(" and {} more", all - 1) } else { String::new() }
}
