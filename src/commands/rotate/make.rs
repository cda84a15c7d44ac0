//! What follows from the authorities' new files: leaves that are made again, and files that are only written again.

use super::context::Planned;
use crate::error::{self, Error};
use crate::plan::renew::{self as plan, Credential, Decision, Repair, Rules};
use crate::profile::RENEWAL;
use crate::workspace::rotation::change;
use crate::workspace::rotation::prior::Prior;
use crate::workspace::{Session, Snapshot, authority_files};

/// Decided on the tree as it will be.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The credentials of the authorities that change hands, each with its decision.
    pub credentials: Vec<Credential>,
    pub decisions: Vec<Decision>,
    pub repairs: Vec<Repair>,
}

impl Following {
    pub fn of(session: &Session<'_>, snapshot: &Snapshot, planned: &Planned) -> Result<Self, Error> {
        let is_of = |one: &&Credential| one.authority.is_some_and(|authority| planned.reissue.contains(&authority));
        let credentials: Vec<Credential> = session.credentials.iter().filter(is_of).cloned().collect();
        let before = session.profile().map_or(RENEWAL.before, |profile| profile.renewal.before);
        let due = planned.keep_good.then_some(before);
        let rules = Rules { reuse_key: planned.reuse_key, due, ..session.identity_rules(false) };
        let Snapshot { survey, .. } = snapshot;
        let known = session.tree.with(change::authorities(session, snapshot, &planned.known, &[])?.survey);
        let authorities = if planned.known.is_empty() { &snapshot.authorities } else { &known.authorities };
        let copies = session.copies();
        let to_come = plan::without_tree(&session.credentials, copies.iter(), survey);
        let decide = |credential: &Credential| {
            if let Some(node) = credential.id.node.as_ref().filter(|node| to_come.contains(*node)) {
                return Ok(plan::not_before_its_tree(credential, node));
            }
            plan::decide(credential, &session.credentials, authorities, survey, &rules)
        };
        let outcomes = credentials.iter().map(decide).collect();
        let decisions = plan::collect_refusals(&credentials, outcomes, survey, rules.named)
            .map_err(|refusals| error::refused(&session.target.origin, &refusals))?;
        let further = authority_files::further(session)?.into_iter().map(|(id, place, _)| (id, place));
        let repairs = change::followers(session, snapshot, &credentials, &decisions, &further.collect::<Vec<_>>());
        Ok(Self { credentials, decisions: decisions.into_iter().map(with_authority).collect(), repairs })
    }

    pub fn decided(&self) -> impl Iterator<Item = (&Credential, &Decision)> {
        self.credentials.iter().zip(&self.decisions)
    }

    /// Those of the files as they were that stay as they were: not made again, and not written for another reason.
    pub fn put_back<'p>(&self, all: &'p [Prior]) -> impl Iterator<Item = &'p Prior> {
        let is_made = |one: &Prior| self.made().any(|made| made.id == one.id);
        let is_rewritten = |one: &Prior| self.repairs.iter().any(|repair| repair.place == one.place);
        all.iter().filter(move |one| !is_made(one) && !is_rewritten(one))
    }

    /// Those that are made again.
    pub fn made(&self) -> impl Iterator<Item = &Credential> {
        self.decided().filter(|(_, decision)| matches!(decision, Decision::Renew(_))).map(|(credential, _)| credential)
    }
}

/// A kubeconfig gets what it trusts together with its credential, in the order of ca.crt.
fn with_authority(mut decision: Decision) -> Decision {
    if let Decision::Renew(renewal) = &mut decision
        && let Some(plan::Kubeconfig::Edit { authority, .. }) = &mut renewal.kubeconfig
    {
        *authority = true;
    }
    decision
}
