//! One cause, one finding: an edge that is refused hangs below what explains it.

use std::collections::BTreeMap;

use super::edge::{Edge, Fault, Half, Refused};
use crate::tree::EntryId;
use crate::verify::finding::{Finding, NotLookedAt, Place};
use crate::verify::rule::Severity;
use crate::verify::rules::edges::REFUSED;

/// How many entries are named.
const NAMED: usize = 3;

/// Areas of rules whose findings explain a fault, on any of the files that decide it.
const CAUSES: [(Fault, &[&str]); 6] = [
    (Fault::Dates, &["date", "chain"]),
    (Fault::Path, &["chain", "file", "kubeconfig", "id", "usage", "name"]),
    (Fault::Usage, &["usage"]),
    (Fault::Name, &["name", "kubeconfig"]),
    (Fault::Key, &["pair"]),
    (Fault::Token, &["sa"]),
];

/// Adds what the edges show, as far as it is asked for. What a finding explains goes below it.
pub fn attach(findings: &mut Vec<Finding>, edges: &[Edge], select: impl Fn(&mut Vec<Finding>)) {
    let mut own: Vec<Finding> = Vec::new();
    for (refused, by) in gathered(edges) {
        let mut finding = vec![finding(refused, &by)];
        select(&mut finding);
        let Some(finding) = finding.pop() else { continue };
        // Of one file what came first stands for the rest.
        let explains = |one: &&mut Finding| explains(one, refused);
        let first = |one: &&mut Finding| one.place.path == finding.place.path;
        match findings.iter_mut().find(explains) {
            Some(cause) => cause.follows.push(finding),
            None => match own.iter_mut().find(first) {
                Some(first) => first.follows.push(finding),
                None => own.push(finding),
            },
        }
    }
    findings.append(&mut own);
}

/// What could not be judged, unless it is said already why.
pub fn skipped(edges: &[Edge], findings: &[Finding], to: &mut Vec<NotLookedAt>) {
    for half in edges.iter().flat_map(Edge::halves) {
        let Half::NotLookedAt { path, why } = half else { continue };
        let is_broken = |one: &Finding| one.rule.severity == Severity::Error && one.place.path == *path;
        let is_said = |one: &Finding| is_broken(one) || one.follows.iter().any(is_broken);
        if !findings.iter().any(is_said) && !to.iter().any(|one| one.path == *path) {
            to.push(NotLookedAt { path: path.clone(), why: why.clone() });
        }
    }
}

/// Each refusal once, with everybody who refuses.
fn gathered(edges: &[Edge]) -> Vec<(&Refused, Vec<&EntryId>)> {
    let mut all: Vec<(&Refused, Vec<&EntryId>)> = Vec::new();
    let mut known: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for edge in edges {
        for (half, by) in edge.halves().into_iter().zip([&edge.client, &edge.server]) {
            let Half::Refused(refused) = half else { continue };
            let at = *known.entry((&refused.path, &refused.found)).or_insert(all.len());
            match all.get_mut(at) {
                Some((_, others)) if others.contains(&by) => {}
                Some((_, others)) => others.push(by),
                None => all.push((refused, vec![by])),
            }
        }
    }
    all
}

fn finding(refused: &Refused, by: &[&EntryId]) -> Finding {
    let names: Vec<String> = by.iter().take(NAMED).map(|id| id.to_string()).collect();
    let who = match by.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    let verb = if by.len() == 1 { "refuses" } else { "refuse" };
    Finding {
        rule: &REFUSED,
        place: Place { path: refused.path.clone(), entry: Some(refused.entry.clone()), position: Some(0) },
        found: format!("{who} {verb} it: {}", refused.found),
        repair: Vec::new(),
        follows: Vec::new(),
        ignored: None,
    }
}

fn explains(finding: &Finding, refused: &Refused) -> bool {
    // Of one node's pair either half may have the finding.
    let is_entry = finding.place.entry.as_ref() == Some(&refused.entry);
    let decides = |path: &String| is_entry || *path == refused.path || refused.others.contains(path);
    let areas = CAUSES.into_iter().filter(|(fault, _)| *fault == refused.fault).flat_map(|(_, areas)| areas);
    let area = finding.rule.id.split('/').next().unwrap_or_default();
    let is_cause = finding.rule.severity == Severity::Error && areas.into_iter().any(|one| *one == area);
    (is_cause && decides(&finding.place.path)) || finding.follows.iter().any(|below| explains(below, refused))
}
