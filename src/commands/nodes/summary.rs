//! What a merge has brought, and what of the receipts was not taken.

use super::lists::Plan;
use super::receipts::Given;
use super::request::MergeRequest as Request;
use crate::error::Error;
use crate::profile::Profile;
use crate::report::nodes::{Merge, Merged};
use crate::tree::layout::holds_ca_keys;
use crate::tree::safe_host::ship_from;
use crate::workspace::Session;
use crate::workspace::crl_issue::SignedCrlIssue;
use crate::workspace::shipping::collect;
use crate::workspace::shipping::receipt::Receipt;

/// Only who has the authorities' keys by the profile can have issued or released anything.
pub fn signs(profile: &Profile, given: &Given) -> bool {
    profile.node(&given.receipt.node).is_some_and(|node| holds_ca_keys(profile, node))
}

/// What of the nodes' journals is not taken.
pub fn not_taken(given: &[Given], profile: &Profile) -> Vec<String> {
    let strange = given.iter().filter(|one| !signs(profile, one) && !one.receipt.journal.is_empty());
    let strange = strange.map(|one| {
        let (node, lines) = (&one.receipt.node, one.receipt.journal.len());
        format!("{node} has no key of an authority by the profile: of what it says it has issued or revoked nothing is taken ({lines} lines)")
    });
    let long = given.iter().filter(|one| one.receipt.journal_left_out > 0);
    let long = long.map(|one| {
        let Receipt { node, journal_left_out, .. } = &one.receipt;
        format!("{node} has {journal_left_out} older lines in its journal that its receipt leaves out: what they issued stays unknown here")
    });
    strange.chain(long).collect()
}

pub fn report(
    request: &Request,
    session: &Session<'_>,
    profile: &Profile,
    (rows, plans): (Vec<Merged>, Vec<Plan>),
    issues: &[SignedCrlIssue],
    generation: Option<String>,
    warnings: Vec<String>,
) -> Result<Merge, Error> {
    let signed: Vec<&str> = plans.iter().filter(|plan| plan.signable).map(|plan| plan.crl.authority.name()).collect();
    let mut ship = Vec::new();
    for node in &profile.nodes {
        let (entries, _) = collect::of_cluster(&session.target.root, profile, &node.name)?;
        if entries.iter().any(|one| signed.contains(&one.entry.as_str())) {
            ship.push(node.name.clone());
        }
    }
    let (directory, cluster) = session.names();
    let pack = |node: &String| format!("pack the new list, and unpack it on {node}: {}", ship_from(&directory, node));
    let new = |plan: &Plan| issues.iter().find(|new| new.authority == plan.crl.authority);
    Ok(Merge {
        dry_run: request.run.dry_run,
        generation,
        receipts: rows,
        lists: plans.iter().map(|plan| plan.row(new(plan))).collect(),
        findings: plans.iter().flat_map(|plan| plan.findings.clone()).collect(),
        next: ship.iter().map(pack).collect(),
        ship,
        warnings,
        directory,
        cluster,
    })
}
