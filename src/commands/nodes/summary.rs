//! What a merge has brought, and what of the receipts was not taken.

use super::lists::Plan;
use super::next::renew_first;
use super::request::MergeRequest as Request;
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::{shell_path, shell_word};
use crate::plan::shipping::{Behind, Facts, behind};
use crate::profile::Profile;
use crate::report::nodes::{Merge, Merged};
use crate::tree::layout::holds_ca_keys;
use crate::tree::safe_host::ship_from;
use crate::workspace::Session;
use crate::workspace::crl_issue::SignedCrlIssue;
use crate::workspace::shipping::given::Given;
use crate::workspace::shipping::receipt::{Held, Receipt, comparable};
use crate::workspace::shipping::{collect, nodes};

/// Only who has the authorities' keys by the profile can have issued or released anything.
pub fn signs(profile: &Profile, receipt: &Receipt) -> bool {
    profile.node(&receipt.node).is_some_and(|node| holds_ca_keys(profile, node))
}

/// What of the nodes' journals is not taken.
pub fn not_taken(given: &[Given], profile: &Profile) -> Vec<String> {
    let strange = given.iter().filter(|one| !signs(profile, &one.receipt) && !one.receipt.journal.is_empty());
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
    (request, given): (&Request, &[Given]),
    session: &Session<'_>,
    profile: &Profile,
    (rows, plans): (Vec<Merged>, Vec<Plan>),
    issues: &[SignedCrlIssue],
    generation: Option<String>,
    warnings: Vec<String>,
) -> Result<Merge, Error> {
    let signed: Vec<&str> = plans.iter().filter(|plan| plan.signable()).map(|plan| plan.crl.authority.name()).collect();
    let (directory, cluster) = session.names();
    let (mut ship, mut next) = (Vec::new(), missing(&plans, &directory));
    for node in &profile.nodes {
        let (entries, _) = collect::of_cluster(&session.target.root, profile, &node.name)?;
        if !entries.iter().any(|one| signed.contains(&one.entry.as_str())) {
            continue;
        }
        let receipt = match given.iter().find(|one| one.receipt.node == node.name) {
            Some(given) => Some(given.receipt.clone()),
            None => nodes::receipt(&session.tree.roots, &node.name)?,
        };
        let newer = receipt.map(|receipt| newer(&entries, &receipt)).unwrap_or_default();
        next.extend(renew_first(&directory, &node.name, &newer));
        let ship_it = ship_from(&directory, &node.name);
        next.push(format!("pack the new list, and unpack it on {}: {ship_it}", node.name));
        ship.push(node.name.clone());
    }
    let new = |plan: &Plan| issues.iter().find(|new| new.id() == plan.crl.id());
    Ok(Merge {
        dry_run: request.run.dry_run,
        generation,
        receipts: rows,
        lists: plans.iter().map(|plan| plan.row(new(plan))).collect(),
        findings: plans.iter().flat_map(|plan| plan.findings.clone()).collect(),
        ship,
        next,
        warnings,
        directory,
        cluster,
    })
}

/// The lists that are in no receipt.
fn missing(plans: &[Plan], directory: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for (plan, one) in plans.iter().flat_map(|plan| plan.unknown.iter().map(move |one| (plan, one))) {
        let (node, name) = (&one.node, plan.crl.authority.name());
        steps.push(match one.too_large {
            false => format!(
                "{name}.crl is not signed, because the list on {node} is not in its receipt: make a new one there with this version \
                 of kpki, and merge it: kpki export --verify {} --receipt -o json",
                shell_word(node)
            ),
            true => format!(
                "{name}.crl is not signed, because the list on {node} is too large for a receipt: bring {} from there, and merge \
                 both again: kpki nodes merge {} --crl {} --dir {}",
                one.path,
                shell_path(format!("{node}.json")),
                shell_path(format!("{node}-{name}.crl")),
                shell_path(directory)
            ),
        });
    }
    steps
}

/// What the node has renewed itself.
fn newer(entries: &[Held], receipt: &Receipt) -> Vec<String> {
    let (ours, theirs) = comparable(entries, receipt);
    let pair = |ours: &Facts| theirs.iter().find(|theirs| theirs.entry == ours.entry).cloned();
    let pairs: Vec<(&Facts, Option<Facts>)> = ours.iter().map(|ours| (ours, pair(ours))).collect();
    let pairs: Vec<(&Facts, Option<&Facts>)> = pairs.iter().map(|(ours, theirs)| (*ours, theirs.as_ref())).collect();
    let name = |one: &Behind| if let Behind::Entry(entry) = one { Some(entry.clone()) } else { None };
    behind(&pairs, &[]).iter().filter_map(name).filter(|entry| CaId::parse(entry).is_none()).collect()
}
