//! The report of a revocation.

use super::evaluate::Evaluation;
use super::request::Request;
use super::select::Selected;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files;
use crate::plan::renew::certificate_of;
use crate::plan::revoke::{Change, Verb};
use crate::report::{crl_readers, revoke as report};
use crate::revocation::Reason;
use crate::tree::{Directories, EntryId, Layout};
use crate::workspace::crl_issue::{self, SignedCrlIssue};
use crate::workspace::{Session, journal};
use crate::x509::Certificate;

pub fn report(
    request: &Request,
    session: &Session<'_>,
    evaluation: &Evaluation,
    issues: &[SignedCrlIssue],
    generation: Option<String>,
    mut warnings: Vec<String>,
) -> Result<report::Revocation, Error> {
    let mut lists = Vec::new();
    for (list, crl) in &evaluation.crls {
        let new = issues.iter().find(|issue| (issue.authority, issue.rank) == *list);
        let changes = evaluation.is_signed(*list);
        lists.push(crl_issue::row(crl, new, changes));
        if changes {
            warnings.extend(crl_issue::warnings(crl, new, evaluation.issuer(*list, session)?, session.run.now));
        }
    }
    warnings.extend(request.names.iter().filter_map(|name| keys_of(session, EntryId::whole_node(name)?)));
    let is_signed = lists.iter().any(|list| list.action == report::Signing::Sign);
    let mut touched: Vec<CaId> = evaluation.crls.keys().map(|(authority, _)| *authority).collect();
    touched.dedup();
    let is_signed_of = |list: &&(CaId, usize)| evaluation.is_signed(**list);
    let mut new: Vec<CaId> = evaluation.crls.keys().filter(is_signed_of).map(|(id, _)| *id).collect();
    new.dedup();
    let (directory, cluster) = session.names();
    let pki = session.tree.pki();
    Ok(report::Revocation {
        verb: request.verb.name(),
        dry_run: request.run.dry_run,
        directory,
        cluster,
        generation,
        entries: entries(request, evaluation),
        lists,
        left: evaluation.left.clone(),
        whole_nodes: request.names.iter().filter(|name| EntryId::whole_node(name).is_some()).cloned().collect(),
        ship: crl_issue::nodes(session, &evaluation.snapshot, &new).into_iter().collect(),
        in_use: if request.verb == Verb::Release { Vec::new() } else { in_use(session, evaluation) },
        warnings,
        notes: if is_signed { crl_readers::notes(request.verb, &touched, &pki) } else { Vec::new() },
    })
}

/// Who has the key of an authority is not stopped by its CRL.
fn keys_of(session: &Session<'_>, node: &str) -> Option<String> {
    let (tree, base) = (&session.tree, Directories::base(&Layout::Cluster, node));
    let stems = CaId::ALL.map(|id| (id.name(), id.stem())).into_iter().chain([("sa", "sa")]);
    let is_there = |stem: &str| {
        let (_, key) = tree.directories.pair(&base, stem);
        key.is_some_and(|key| files::what(None, &tree.roots.main.join(key.path)).is_some())
    };
    let keys: Vec<&str> = stems.filter(|(_, stem)| is_there(stem)).map(|(name, _)| name).collect();
    (!keys.is_empty()).then(|| {
        format!(
            "{node} has the keys of {}: who has copied them signs new credentials, which no revocation stops; if the node is \
             compromised, these have to be replaced",
            keys.join(", ")
        )
    })
}

pub fn entries(request: &Request, evaluation: &Evaluation) -> Vec<report::RevocationEntry> {
    let all = evaluation.selected.iter().zip(&evaluation.changes);
    all.map(|(one, change)| entry(request.verb, one, change)).collect()
}

fn entry(verb: Verb, one: &Selected, change: &Change) -> report::RevocationEntry {
    let (action, entry) = match (change, verb) {
        (Change::Nothing(entry), _) => (report::Action::Unchanged, entry.as_ref()),
        (Change::Remove(was), _) => (report::Action::Release, Some(was)),
        (Change::Add(entry) | Change::MakePermanent(entry), Verb::Hold) => (report::Action::Hold, Some(entry)),
        (Change::Add(entry) | Change::MakePermanent(entry), _) => (report::Action::Revoke, Some(entry)),
    };
    report::RevocationEntry {
        name: one.name.clone(),
        authority: one.authority.name(),
        serial: journal::serial_text(&one.serial).to_uppercase(),
        action,
        reason: entry.map(|one| one.reason.unwrap_or(Reason::Unspecified).name().to_owned()),
        since: entry.map(|one| one.at),
        invalid_since: entry.and_then(|one| one.invalid_since),
    }
}

/// Entries of the tree whose certificate is now in the CRL.
fn in_use(session: &Session<'_>, evaluation: &Evaluation) -> Vec<String> {
    let is_named = |certificate: &Certificate| {
        evaluation.selected.iter().any(|one| {
            let issuer = evaluation.snapshot.bundle(one.authority).get(one.rank);
            one.serial == certificate.serial && issuer.is_some_and(|by| certificate.names_issuer(by))
        })
    };
    let survey = &evaluation.snapshot.survey;
    let used = session.credentials.iter().filter(|one| certificate_of(one, survey).is_some_and(|it| is_named(&it)));
    used.map(|one| one.id.to_string()).collect()
}
