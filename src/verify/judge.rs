//! From a cluster to what is to be said of it.

use std::collections::BTreeSet;

use super::causes::below_causes;
use super::cluster::{Cluster, Content, File, Part, Tree};
use super::edges;
use super::finding::{Finding, NotLookedAt, Place, Verification};
use super::findings::Findings;
use super::policy::Policy;
use super::repair;
use super::rule::Rule;
use super::rules::edges::AREA;
use super::rules::{
    accounts, algorithms, chains, components, crls, dates, files, identifiers, journal, kubeconfigs, names, pairs,
    rotation, state, usages,
};
use super::selection::{Choice, Selection};
use super::served::{self, Live};
use crate::x509::Certificate;

/// Judges by every rule, by what the components serve, and tries every connection if they are `shaken`.
pub fn judge(
    cluster: &Cluster<'_>,
    policy: Policy,
    selection: &Selection,
    shaken: bool,
    served: Option<Live>,
) -> Verification {
    let mut findings = Findings::new(cluster);
    for tree in &cluster.trees {
        files::check(tree, &mut findings);
        pairs::check(tree, &mut findings);
        dates::check(tree, &mut findings);
        chains::check(tree, &mut findings);
        names::check(tree, &mut findings);
        usages::check(tree, &mut findings);
        identifiers::check(tree, &mut findings);
        algorithms::check(tree, policy, &mut findings);
        kubeconfigs::check(tree, &mut findings);
        accounts::check(tree, &mut findings);
        crls::check(tree, &mut findings);
        components::check(tree, &mut findings);
        rotation::check(tree, &mut findings);
    }
    pairs::shared(cluster, &mut findings);
    chains::across(cluster, &mut findings);
    identifiers::twice(cluster, &mut findings);
    accounts::across(cluster, &mut findings);
    cluster.journal.iter().for_each(|one| journal::check(one, &mut findings));
    let Findings { mut all, mut not_looked_at, .. } = findings;
    if let Some(live) = &served {
        all.extend(served::findings(live));
        not_looked_at.extend(served::not_looked_at(live));
    }
    once(cluster, &mut all);
    if cluster.layout.is_some() {
        all.iter_mut().for_each(|one| one.repair.retain(|command| !repair::is_of_catalogue(command)));
    }
    let of_profile = cluster.profile.map(|profile| profile.verify_ignore.as_slice()).unwrap_or_default();
    let of_profile: Vec<Choice> = of_profile.iter().map(Choice::from).collect();
    selection.apply(&mut all, &of_profile);
    let mut all = below_causes(cluster, all);
    let edges =
        if shaken && cluster.layout.is_none() && selection.is_about(AREA) { edges::edges(cluster) } else { Vec::new() };
    edges::attach(&mut all, &edges, |own| selection.apply(own, &of_profile));
    edges::skipped(&edges, &all, &mut not_looked_at);
    sort(&mut all);
    let there = || cluster.trees.iter().flat_map(|tree| &tree.files).filter(|file| file.is_there());
    Verification {
        root: cluster.root.clone(),
        layout: cluster.layout.map(|layout| layout.name),
        cluster: cluster.profile.map(|profile| profile.cluster_name.clone()),
        findings: all,
        not_looked_at,
        edges,
        files: there().count(),
        certificates: there().map(|file| file.certificates().len()).sum(),
        keys: there().filter(|file| file.key().is_some()).count(),
        crls: there().filter(|file| matches!((&file.content, file.part), (Content::Crls(_), Part::Crl))).count(),
        served,
    }
}

/// Of a certificate in a file that a kubeconfig names, what is wrong is said of the file.
fn once(cluster: &Cluster<'_>, all: &mut Vec<Finding>) {
    let is_there = |tree: &Tree, leaf: &Certificate| {
        let is_it = |file: &File| {
            matches!(file.part, Part::Certificate | Part::RotatedPair) && file.certificates().first() == Some(leaf)
        };
        tree.files.iter().any(is_it)
    };
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for tree in &cluster.trees {
        for file in &tree.files {
            let Content::Kubeconfig(kubeconfig) = &file.content else { continue };
            let Some(leaf) = kubeconfig.certificates.first().filter(|_| kubeconfig.certificate_file.is_some()) else {
                continue;
            };
            // Another tool's groups name each other's files.
            let mut near = cluster.trees.iter().filter(|other| cluster.layout.is_some() || other.root == tree.root);
            if near.any(|other| is_there(other, leaf)) {
                named.insert(&file.path);
            }
        }
    }
    all.retain(|one| one.place.position.is_none() || !named.contains(one.place.path.as_str()));
}

/// The worst first, then by path.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        (other.rule.severity, &one.place, one.rule.id).cmp(&(one.rule.severity, &other.place, other.rule.id))
    });
}

/// A run was interrupted, and this verb completes nothing.
pub fn interrupted(root: &str) -> Verification {
    let found = "expected no commit mark, found one in .kpki".to_owned();
    whole(root, &state::INTERRUPTED, found, vec![repair::complete(root)])
}

/// Adds that the tree was judged without its profile.
pub fn without_profile(said: &mut Verification, why: &str) {
    said.findings.splice(0..0, whole(&said.root, &state::PROFILE, why.to_owned(), Vec::new()).findings);
}

/// Adds that the record of its rotations cannot be read: the phase of its files was not judged.
pub fn without_rotations(said: &mut Verification, path: &str, why: &str, repair: String) {
    let mut found = whole(path, &files::BROKEN, why.to_owned(), vec![repair]).findings;
    said.findings.splice(0..0, found.drain(..));
}

/// Nothing could be looked at.
pub fn unreadable(root: &str, why: &str) -> Verification {
    whole(root, &state::UNREADABLE, why.to_owned(), Vec::new())
}

/// Files beside the trees of a directory.
pub fn outside(root: &str) -> Verification {
    let why = "files outside the trees: kpki check-expiration looks at certificates anywhere".to_owned();
    let not_looked_at = vec![NotLookedAt { path: root.to_owned(), why }];
    Verification { root: root.to_owned(), not_looked_at, ..Verification::default() }
}

fn whole(root: &str, rule: &'static Rule, found: String, repair: Vec<String>) -> Verification {
    let place = Place { path: root.to_owned(), entry: None, position: None };
    let finding = Finding { rule, place, found, repair, follows: Vec::new(), ignored: None };
    Verification { root: root.to_owned(), findings: vec![finding], ..Verification::default() }
}
