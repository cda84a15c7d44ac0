//! The report of a step.

use super::context::Planned;
use super::make::Following;
use super::request::{Request, Step};
use crate::clock::rfc3339;
use crate::plan::renew::{Decision, Rewritten, Skipped};
use crate::plan::rotate::is_read_again;
use crate::report::restart::{Changed, restarts};
use crate::report::rotate::{Done, Written};
use crate::tree::EntryId;
use crate::workspace::Session;
use crate::workspace::reissue::Made;
use std::collections::BTreeSet;

pub(super) fn done(
    request: &Request,
    session: &Session<'_>,
    planned: &Planned,
    following: &Following,
    ids: &[EntryId],
) -> Done {
    let (directory, cluster) = session.names();
    let is_made = |id: &EntryId| following.made().any(|one| one.id == *id);
    let only_trust = |id: &EntryId| {
        let is_its =
            |one: &crate::plan::renew::Repair| one.id == *id && matches!(one.what, Rewritten::Kubeconfig { .. });
        following.repairs.iter().any(is_its)
    };
    let written = |id: &EntryId| Written {
        id: id.clone(),
        change: match (is_made(id), following.put_back(&planned.put_back).any(|one| one.id == *id)) {
            (true, _) => "reissue",
            (_, true) => "put-back",
            _ => "trust",
        },
        not_after: None,
    };
    let changed = |id: &EntryId| Changed { id: id.clone(), authority_data: only_trust(id) };
    let is_reordered = matches!(request.step, Step::Switch(_));
    let is_read_again = |id: &&EntryId| is_read_again(&id.name, is_reordered, is_made(id));
    let nodes: BTreeSet<String> = ids.iter().filter_map(|id| id.node.clone()).collect();
    let skipped = following.decided().filter_map(|(credential, decision)| match decision {
        Decision::Skipped(left, _) if left.is_gap() => {
            let id = credential.id.to_string();
            let has_issuer = credential.issuer(session.profile()).is_some();
            Some(format!("{id}: {}", crate::error::left(left, &id, &session.target.origin, has_issuer)))
        }
        _ => None,
    });
    let origin = &session.target.origin;
    let held = following.held.iter().map(|id| {
        let (id, release) = (id.to_string(), |id: &str| origin.command("release", &[id], &[]));
        format!("{id} is held, and stays of the old authority; revoke it, or release it: {}", release(&id))
    });
    Done {
        dry_run: request.run.dry_run,
        directory,
        cluster,
        step: request.step.name(),
        authorities: planned.rows.clone(),
        entries: ids.iter().map(written).collect(),
        generation: None,
        restart: restarts(ids.iter().filter(is_read_again).map(changed), session.profile()),
        ship: if session.is_exported() { nodes.into_iter().collect() } else { Vec::new() },
        destroyed: planned.destroyed.clone(),
        steps: Vec::new(),
        instructions: None,
        manifests: Vec::new(),
        left: planned.left.iter().cloned().chain(skipped).chain(held).collect(),
        hooks: Vec::new(),
        rolled_back: false,
        warnings: planned.warnings.iter().chain(&following.warnings).cloned().chain(elsewhere(following)).collect(),
        origin: session.target.origin.clone(),
    }
}

/// What is made again by others, in one line for each reason.
fn elsewhere(following: &Following) -> Vec<String> {
    let of = |which: fn(&Skipped) -> bool| {
        let left = following.decided().filter(move |(_, decision)| match decision {
            Decision::Skipped(left, _) => which(left),
            _ => false,
        });
        left.map(|(credential, _)| credential.id.to_string()).collect::<Vec<_>>()
    };
    let lines = [
        (
            of(|left| matches!(left, Skipped::KubeletRotates(_) | Skipped::KubeletUsesItsOwn)),
            "kubelets that go on with certificates of the old authority until they renew them themselves",
        ),
        (of(|left| *left == Skipped::KubeletsOwn), "signed by kubelets themselves, and not made again"),
        (
            of(|left| matches!(left, Skipped::CredentialFiles(_))),
            "kubeconfigs whose credentials are in files of their own: have those made again where they are",
        ),
    ];
    lines
        .into_iter()
        .filter(|(ids, _)| !ids.is_empty())
        .map(|(ids, what)| format!("{what}: {}", ids.join(", ")))
        .collect()
}

/// The ends of what was made.
pub(super) fn add_dates(done: &mut Done, made: &[Made]) {
    for entry in &mut done.entries {
        let of = made.iter().find(|made| made.id == entry.id);
        entry.not_after = of.map(|made| rfc3339(made.certificate.not_after));
    }
}
