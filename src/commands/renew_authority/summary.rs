//! The rows of the report, what to restart, and what is left to do in the cluster.

use super::evaluate::{Evaluation, Renewed, Requested};
use super::renewing::Renewing;
use crate::report::facts::facts;
use crate::report::renew::{self as report, Action, Afterwards, RenewalEntry, Side, afterwards};
use crate::report::restart::{Changed, restarts};
use crate::tree::{EntryId, Place};
use crate::workspace::authority_files::{Holder, What};
use crate::workspace::requests::Made;
use crate::x509::Certificate;
use std::collections::BTreeSet;

/// Before or after the renewal. `new`: the certificates, where they are made.
pub fn report(
    renewing: &Renewing<'_>,
    evaluation: &Evaluation,
    new: &[Certificate],
    requests: &[Made],
) -> report::Tree {
    let session = &renewing.session;
    let (directory, cluster) = session.names();
    let mut entries = Vec::new();
    for (index, renewed) in evaluation.renewed.iter().enumerate() {
        entries.extend(rows(renewing, renewed, new.get(index)));
    }
    for requested in &evaluation.requested {
        entries.push(request_row(renewing, requested, requests));
    }
    let changed = evaluation.renewed.iter().flat_map(changed);
    let nodes = evaluation.renewed.iter().flat_map(|one| &one.holders.all).filter_map(|one| one.id.node.clone());
    let nodes: BTreeSet<String> = nodes.collect();
    report::Tree {
        directory,
        cluster,
        authorities: evaluation.renewed.iter().map(|one| one.authority.name()).collect(),
        restart: restarts(changed, session.profile()),
        ship: nodes.into_iter().filter(|_| session.is_exported()).collect(),
        entries,
        warnings: warnings(renewing, evaluation),
        afterwards: evaluation.renewed.iter().map(|one| one.afterwards(renewing, &evaluation.people)).collect(),
        kubelet_dir: session.target.origin.kubelet_dir.clone(),
        ..report::Tree::default()
    }
}

impl Renewed {
    fn afterwards(&self, renewing: &Renewing<'_>, people: &[String]) -> Afterwards {
        let session = &renewing.session;
        let command = || session.target.origin.command("renew", &["all"], &["--due"]);
        let ended = (self.old.not_after < session.run.now).then(command);
        afterwards(self.authority, self.old.not_after, ended.as_deref(), people)
    }
}

/// The entries with new files, for hooks and the generation's note.
pub fn ids(evaluation: &Evaluation) -> Vec<EntryId> {
    let of = |renewed: &Renewed| {
        let others = renewed.holders.all.iter().filter(|one| one.what == What::Kubeconfig).map(|one| one.id.clone());
        std::iter::once(EntryId::new(None, renewed.authority.name())).chain(others).collect::<Vec<_>>()
    };
    evaluation.renewed.iter().flat_map(of).collect()
}

/// Whose readers hold the old one: on each node of a cluster directory, whose own files nobody reads.
fn changed(renewed: &Renewed) -> impl Iterator<Item = Changed> {
    let is_read = |holder: &&Holder| match holder.what {
        What::Bundle => holder.id.node.is_some() || !has_nodes(renewed),
        What::Kubeconfig => true,
        What::Signer => false,
    };
    let one = |holder: &Holder| Changed { id: holder.id.clone(), authority_data: holder.what == What::Kubeconfig };
    renewed.holders.all.iter().filter(is_read).map(one).collect::<Vec<_>>().into_iter()
}

fn has_nodes(renewed: &Renewed) -> bool {
    renewed.holders.all.iter().any(|holder| holder.id.node.is_some())
}

fn rows(renewing: &Renewing<'_>, renewed: &Renewed, new: Option<&Certificate>) -> Vec<RenewalEntry> {
    let tree = &renewing.session.tree;
    let shown = |place: &Place| tree.display_path(place);
    let holders = &renewed.holders;
    let (edited, held): (Vec<&Holder>, Vec<&Holder>) = holders.all.iter().partition(|one| one.what == What::Kubeconfig);
    let planned = || {
        let (not_before, not_after) = (renewed.renewal.not_before, renewed.renewal.not_after);
        let known = facts(&Certificate { not_before, not_after, ..renewed.old.clone() });
        let facts = crate::report::Facts { serial: None, fingerprint: None, ..known };
        Side { algorithm: renewed.old.key.to_string(), facts }
    };
    let own = RenewalEntry {
        id: EntryId::new(None, renewed.authority.name()),
        action: Action::Renew,
        reasons: vec!["requested; the key and all it signed stay".to_owned()],
        key_reused: true,
        old: Some(side(&renewed.old)),
        new: Some(new.map_or_else(planned, side)),
        paths: held.iter().map(|holder| shown(&holder.place)).collect(),
        ..RenewalEntry::default()
    };
    let edited = edited.into_iter().map(|holder| RenewalEntry {
        id: holder.id.clone(),
        action: Action::Renew,
        reasons: vec!["its certificate-authority-data follows ca.crt; nothing else in it is changed".to_owned()],
        key_reused: true,
        paths: vec![shown(&holder.place)],
        ..RenewalEntry::default()
    });
    let unreadable = holders.unreadable.iter().map(|(id, place, why)| RenewalEntry {
        id: id.clone(),
        action: Action::Skipped,
        reasons: vec![format!("it cannot be read, and so not what it trusts: {why}")],
        paths: vec![shown(place)],
        ..RenewalEntry::default()
    });
    std::iter::once(own).chain(edited).chain(unreadable).collect()
}

fn side(certificate: &Certificate) -> Side {
    Side { algorithm: certificate.key.to_string(), facts: facts(certificate) }
}

fn request_row(renewing: &Renewing<'_>, requested: &Requested, made: &[Made]) -> RenewalEntry {
    let id = EntryId::new(None, requested.authority.name());
    let import = renewing.session.target.origin.command("import", &["CERT"], &[]);
    let request = made.iter().find(|one| one.id == id).and_then(|one| one.paths.first());
    let request = request.map(|path| path.display().to_string());
    let shown = request.as_deref().unwrap_or("the request");
    RenewalEntry {
        action: Action::Skipped,
        reasons: vec![format!(
            "{} signed it, and has to sign it again; have {shown} signed, which is for the same key, then: {import}",
            requested.old.issuer
        )],
        key_reused: true,
        old: Some(side(&requested.old)),
        paths: request.into_iter().collect(),
        id,
        ..RenewalEntry::default()
    }
}

fn warnings(renewing: &Renewing<'_>, evaluation: &Evaluation) -> Vec<String> {
    let origin = &renewing.session.target.origin;
    let mut lines = Vec::new();
    for renewed in &evaluation.renewed {
        let name = renewed.authority.name();
        let others: Vec<String> = renewed.holders.others.iter().map(EntryId::to_string).collect();
        if !others.is_empty() {
            lines.push(format!(
                "{}: what they trust is not the {name} that is renewed, and stays; let them trust ca.crt with: {}",
                others.join(", "),
                origin.command("renew", &["all"], &["--due"])
            ));
        }
        if !renewed.renewal.renew_next.is_empty() {
            lines.push(format!(
                "the authority key identifier of {} names the serial number that {name} had: OpenSSL and Java refuse them until they \
                 are renewed: {}",
                renewed.renewal.renew_next.join(", "),
                origin.command("renew", &renewed.renewal.renew_next, &[])
            ));
        }
    }
    lines.extend(renewing.session.target.strays());
    lines
}
