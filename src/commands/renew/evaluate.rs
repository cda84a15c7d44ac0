//! The certificates of a tree, and the decision for each.

use std::collections::BTreeSet;

use super::renewing::Renewing;
use crate::catalog::CaId;
use crate::error::{self, Error};
use crate::plan::renew::{self as plan, Credential, Decision, Repair, Rules};
use crate::profile::RENEWAL;
use crate::revocation::Revoked;
use crate::tree::{Authority, EntryId};
use crate::workspace::crls::{self, TreeCrl, TreeCrls};
use crate::workspace::issuing::Issued;
use crate::workspace::rotation::{record, remarks, state};
use crate::workspace::{Snapshot, requests};

/// The tree, and a decision for each credential, in the same order.
pub(in crate::commands::renew) struct Evaluation {
    pub snapshot: Snapshot,
    pub decisions: Vec<Decision>,
    /// Files that are written again without a signature.
    pub repairs: Vec<Repair>,
    pub crls: Vec<TreeCrl>,
    /// Those that are due and are not signed, because their authorities' keys did not open: the place in `crls`, and why.
    pub left_crls: Vec<(usize, String)>,
    /// Credentials that are held.
    pub held: Vec<String>,
    pub unusable_crls: Vec<String>,
    /// What a renewal does not bring to the given profile.
    pub misfits: Vec<String>,
    /// What is renewed here although requests for it wait.
    pub requested: Option<String>,
    /// What is renewed by an authority that is being replaced.
    pub to_come: Option<String>,
    /// What the issuers of authorities elsewhere have answered.
    pub issued: Issued,
    /// Whose requests wait for the new authority of a rotation.
    pub for_new: BTreeSet<EntryId>,
}

impl Evaluation {
    pub fn is_idle(&self) -> bool {
        let is_made = |decision: &Decision| matches!(decision, Decision::Renew(_));
        let is_issued = !self.issued.placed.is_empty();
        !self.decisions.iter().any(is_made) && self.repairs.is_empty() && self.due_crls().is_empty() && !is_issued
    }

    /// The authorities that sign something.
    pub fn signers(&self, credentials: &[Credential]) -> BTreeSet<CaId> {
        let certificates = self.renewed(credentials).into_iter().filter_map(|one| one.authority);
        certificates.chain(self.due_crls().into_iter().map(|crl| crl.authority)).collect()
    }

    /// CRLs that are signed in the same transaction; none with names or without `--due`.
    pub fn due_crls(&self) -> Vec<&TreeCrl> {
        self.crls.iter().filter(|crl| crl.due).collect()
    }

    /// Why keys of authorities could not be opened.
    pub fn unopened(&self) -> Vec<String> {
        let fault = |authority: &Authority| match authority {
            Authority::Closed(_, why) => Some(error::unopened(why)),
            _ => None,
        };
        self.snapshot.authorities.values().filter_map(fault).collect()
    }

    /// Those with a new file: renewed, or written again without a signature.
    pub fn changed<'c>(&self, credentials: &'c [Credential]) -> Vec<&'c Credential> {
        let is_changed = |(credential, decision): &(&Credential, &Decision)| {
            let is_repaired = self.repairs.iter().any(|repair| repair.id == credential.id);
            matches!(decision, Decision::Renew(_)) || is_repaired || self.issued.has(&credential.id)
        };
        credentials.iter().zip(&self.decisions).filter(is_changed).map(|(credential, _)| credential).collect()
    }

    pub fn renewed<'c>(&self, credentials: &'c [Credential]) -> Vec<&'c Credential> {
        let all = credentials.iter().zip(&self.decisions);
        all.filter(|(_, decision)| matches!(decision, Decision::Renew(_))).map(|(credential, _)| credential).collect()
    }
}

impl Renewing<'_> {
    pub fn rules(&self) -> Rules<'_> {
        let (request, profile) = (self.request, self.session.profile());
        let window = profile.map_or(RENEWAL.before, |profile| profile.renewal.before);
        Rules {
            due: request.due.then_some(window),
            prune_sans: request.prune_sans,
            reuse_key: request.reuse_key,
            ..self.session.identity_rules(self.is_named())
        }
    }

    /// Who signs with a key that is no plain file here.
    pub fn closed_keys(&self, evaluation: &Evaluation) -> Vec<&'static str> {
        let is_closed = |id: &CaId| self.session.tree.keeps_key_elsewhere(&evaluation.snapshot, *id);
        evaluation.signers(&self.credentials).into_iter().filter(is_closed).map(CaId::name).collect()
    }

    /// Single entries were named, and not all of a node.
    fn is_named(&self) -> bool {
        self.request.names.iter().any(|name| EntryId::whole_node(name).is_none())
    }

    /// The whole tree is meant.
    pub fn is_whole(&self) -> bool {
        self.request.names.is_empty() && self.session.only.is_none()
    }

    /// Decides every credential.
    pub fn evaluate(&self, snapshot: Snapshot) -> Result<Evaluation, Error> {
        let (session, rules) = (&self.session, self.rules());
        let Snapshot { survey, authorities } = &snapshot;
        let foreign = plan::other_authorities(&session.copies(), authorities, survey);
        let TreeCrls { mut crls, revoked, unusable } = crls::of_credentials(session, &snapshot, &self.credentials)?;
        let copies = session.copies();
        let to_come = plan::without_tree(&session.credentials, copies.iter(), survey);
        let decide = |(credential, revoked): (&Credential, &Option<Revoked>)| {
            if let Some(node) = credential.id.node.as_ref().filter(|node| to_come.contains(*node)) {
                return Ok(plan::not_before_its_tree(credential, node));
            }
            let own_rules = plan::rules_for(&rules, revoked.as_ref());
            let decision = plan::decide(credential, &session.credentials, authorities, survey, &own_rules)?;
            let decision = plan::with_revocation_reason(decision, revoked.as_ref(), &rules);
            plan::refuse_foreign_ca(credential, decision, &foreign)
        };
        let outcomes = self.credentials.iter().zip(&revoked).map(decide).collect();
        let mut decisions = plan::collect_refusals(&self.credentials, outcomes, survey, rules.named)
            .map_err(|refusals| error::refused(&session.target.origin, &refusals))?;
        self.name_missing(&mut decisions)?;
        let for_new = self.ask_again(&mut decisions, &snapshot)?;
        let can_sign = |id: CaId| {
            let authority = authorities.get(&id).filter(|authority| !matches!(authority, Authority::Closed(..)));
            authority.is_some_and(|authority| plan::refusal(id, authority, rules.now).is_none())
        };
        let mut left_crls = Vec::new();
        for (index, crl) in crls.iter_mut().enumerate() {
            let is_wanted = self.request.due && self.is_whole();
            if let Some(Authority::Closed(_, why)) = authorities.get(&crl.authority).filter(|_| is_wanted)
                && crl.is_of_signer()
                && crl.is_due(rules.now)
            {
                left_crls.push((index, why.to_string()));
            }
            crl.due &= is_wanted && can_sign(crl.authority);
        }
        let held = self.credentials.iter().zip(&revoked).filter(|(_, one)| one.as_ref().is_some_and(Revoked::is_hold));
        let held = held.map(|(credential, _)| credential.id.to_string()).collect();
        let former = rules.former_servers;
        let mut repairs = plan::kubeconfigs(&self.credentials, &decisions, authorities, survey, &foreign, former);
        if self.request.names.is_empty() {
            let is_asked = rules.profile.is_some_and(|profile| profile.signer_file);
            let mut nodes = session.signer_files(survey);
            nodes.retain(|(node, _)| session.only.is_none() || *node == session.only);
            repairs.extend(plan::signer_files(nodes, is_asked, authorities, survey, &foreign));
        }
        let requested = self.requested(&decisions)?;
        let misfits = self.misfits()?;
        let to_come = self.again_by_the_switch(&decisions)?;
        Ok(Evaluation {
            misfits,
            decisions,
            repairs,
            crls,
            left_crls,
            held,
            unusable_crls: unusable,
            requested,
            to_come,
            issued: Issued::default(),
            for_new,
            snapshot,
        })
    }

    fn again_by_the_switch(&self, decisions: &[Decision]) -> Result<Option<String>, Error> {
        let all = self.credentials.iter().zip(decisions);
        let made = all.filter(|(_, decision)| matches!(decision, Decision::Renew(_)));
        let signers = made.filter_map(|(credential, _)| credential.authority).collect();
        let record = record::read(&self.session.tree.roots)?;
        if !record.rotations.is_empty() {
            // The files outrank the record: what they say otherwise is to be settled before anything is signed.
            state::look(&self.session)?.check(&self.session.target.origin)?;
        }
        Ok(remarks::signed_before_the_switch(&record, &signers, &self.session.target.origin))
    }

    fn requested(&self, decisions: &[Decision]) -> Result<Option<String>, Error> {
        let mut ids = Vec::new();
        for (credential, decision) in self.credentials.iter().zip(decisions) {
            let Credential { id, public, private, .. } = credential;
            let renews = matches!(decision, Decision::Renew(_));
            if renews && requests::waiting_in(&self.session.tree.roots, public, private.as_ref())?.is_some() {
                ids.push(id.to_string());
            }
        }
        Ok((!ids.is_empty()).then(|| error::requested(&ids, &self.session.target.origin)))
    }
}
