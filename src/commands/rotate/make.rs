//! What follows from the authorities' new files: leaves that are made again, and files that are only written again.

use super::context::Planned;
use super::cross;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{self as plan, Credential, Decision, Repair, Rules};
use crate::profile::RENEWAL;
use crate::revocation::Revoked;
use crate::tree::EntryId;
use crate::workspace::crls::{self, TreeCrls};
use crate::workspace::rotation::change;
use crate::workspace::rotation::prior::Prior;
use crate::workspace::{Session, Snapshot, authority_files};
use crate::x509::Certificate;

/// Decided on the tree as it will be.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// The credentials of the authorities that change hands, each with its decision.
    pub credentials: Vec<Credential>,
    pub decisions: Vec<Decision>,
    pub repairs: Vec<Repair>,
    /// Those that wait for a decision of somebody: they stay of the old authority.
    pub held: Vec<EntryId>,
    /// Those that a new authority elsewhere has signed: their files are there already.
    pub given: Vec<EntryId>,
    pub warnings: Vec<String>,
}

impl Following {
    /// `before`: the tree as it is, `snapshot`: as it will be.
    pub fn of(session: &Session<'_>, before: &Snapshot, snapshot: &Snapshot, planned: &Planned) -> Result<Self, Error> {
        let is_of = |one: &&Credential| one.authority.is_some_and(|authority| planned.reissue.contains(&authority));
        let credentials: Vec<Credential> = session.credentials.iter().filter(is_of).cloned().collect();
        let window = session.profile().map_or(RENEWAL.before, |profile| profile.renewal.before);
        let due = planned.keep_good.then_some(window);
        let (reuse_key, kubelets) = (planned.reuse_key, planned.kubelets);
        let rules = Rules { reuse_key, kubelets, due, ..session.identity_rules(false) };
        let Snapshot { survey, .. } = snapshot;
        let known = session.tree.with(change::authorities(session, snapshot, &planned.known, &[])?.survey);
        let authorities = if planned.known.is_empty() { &snapshot.authorities } else { &known.authorities };
        let copies = session.copies();
        let to_come = plan::without_tree(&session.credentials, copies.iter(), survey);
        // What the lists say they say of certificates of the old authority.
        let TreeCrls { revoked, unusable, .. } = crls::of_credentials(session, before, &credentials)?;
        let decide = |(credential, revoked): (&Credential, &Option<Revoked>)| {
            if let Some(node) = credential.id.node.as_ref().filter(|node| to_come.contains(*node)) {
                return Ok(plan::not_before_its_tree(credential, node));
            }
            let rules = plan::rules_for(&rules, revoked.as_ref());
            let decision = plan::decide(credential, &session.credentials, authorities, survey, &rules)?;
            Ok(plan::with_revocation_reason(decision, revoked.as_ref(), &rules))
        };
        let outcomes = credentials.iter().zip(&revoked).map(decide).collect();
        let decisions = plan::collect_refusals(&credentials, outcomes, survey, rules.named)
            .map_err(|refusals| error::refused(&session.target.origin, &refusals))?;
        let held = credentials.iter().zip(&revoked);
        let held = held.filter(|(_, revoked)| revoked.as_ref().is_some_and(Revoked::is_hold));
        let held = held.map(|(credential, _)| credential.id.clone()).collect();
        if reuse_key {
            other_algorithms(session, snapshot, &rules, (&credentials, &decisions))?;
        }
        let further = authority_files::further(session)?.into_iter().map(|(id, place, _)| (id, place));
        let repairs = change::followers(session, snapshot, &credentials, &decisions, &further.collect::<Vec<_>>());
        let given: Vec<EntryId> = planned.given.iter().map(|made| made.id.clone()).collect();
        let is_given = |id: &EntryId| given.contains(id);
        let repairs = repairs.into_iter().filter(|one| !is_given(&one.id)).collect();
        let decided = credentials.iter().zip(decisions);
        let decisions = decided.map(|(of, one)| if is_given(&of.id) { Decision::Absent } else { with_authority(one) });
        let decisions = decisions.collect();
        Ok(Self { credentials, decisions, repairs, held, given, warnings: unusable })
    }

    /// Puts these certificates of authorities behind the serving certificates they are for.
    pub fn with_chains(mut self, chains: &[(CaId, Certificate)]) -> Self {
        for (credential, decision) in self.credentials.iter().zip(&mut self.decisions) {
            let own = chains.iter().filter(|(authority, _)| credential.authority == Some(*authority));
            if let (Decision::Renew(renewal), true) = (decision, cross::goes_behind(&credential.id.name)) {
                renewal.chain.extend(own.map(|(_, certificate)| certificate.clone()));
            }
        }
        self
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

    /// Those that are made again, here or elsewhere.
    pub fn made(&self) -> impl Iterator<Item = &Credential> {
        let is_made = |(credential, decision): &(&Credential, &Decision)| {
            matches!(decision, Decision::Renew(_)) || self.given.contains(&credential.id)
        };
        self.decided().filter(is_made).map(|(credential, _)| credential)
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

/// A key that is kept cannot be of another kind.
fn other_algorithms(
    session: &Session<'_>,
    snapshot: &Snapshot,
    rules: &Rules<'_>,
    (credentials, decisions): (&[Credential], &[Decision]),
) -> Result<(), Error> {
    let anew = Rules { reuse_key: false, ..*rules };
    let Snapshot { survey, authorities } = snapshot;
    let differs = |(credential, decision): (&Credential, &Decision)| {
        let Decision::Renew(kept) = decision else { return None };
        let new = plan::decide(credential, &session.credentials, authorities, survey, &anew).ok()?;
        let Decision::Renew(new) = new else { return None };
        (kept.algorithm != new.algorithm).then(|| format!("{}: {} -> {}", credential.id, kept.algorithm, new.algorithm))
    };
    let all: Vec<String> = credentials.iter().zip(decisions).filter_map(differs).collect();
    if all.is_empty() {
        return Ok(());
    }
    Err(Error::new("the keys cannot be kept: their algorithm changes")
        .because(all.join(", "))
        .hint("leave --reuse-keys out: new keys are made"))
}
