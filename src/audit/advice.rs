//! What the findings call for, each kind once. Facts only: `report` has the words.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::judged::{Judged, JudgedTree};
use super::problem::{Problem, problems};
use super::remedy::{Remedy, entry, is_without_certificate, remedy};
use super::state::State;
use crate::catalog::readers::{Action, COMPONENTS};
use crate::catalog::releases::KnownRelease;
use crate::catalog::{self, CaId, readers};
use crate::inventory::Reading;
use crate::tree::{EntryId, Origin};

/// One kind of finding, as far as one remedy helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub problem: Problem,
    pub remedy: Remedy,
    pub count: usize,
    /// In how many trees.
    pub trees: usize,
    /// What has it, each name once.
    pub names: Vec<String>,
    /// By what a command treats as one: a cluster directory is one place with all its nodes. Never empty.
    pub places: Vec<Affected>,
    /// [`Problem::Expired`]: what to repair, in this order, groups of entry names.
    pub order: Vec<(&'static str, Vec<String>)>,
    /// Components that hold what is replaced until they are restarted, in the order in which to restart them.
    pub restart: Vec<&'static str>,
    /// The release for which that holds; of several, the first tree's.
    pub kubernetes: KnownRelease,
}

/// What one command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affected {
    pub origin: Origin,
    /// The first one's file, and the node's directory that it belongs to.
    pub path: String,
    pub root: String,
    /// Its entries. One that has the finding on every node that has it is there once, without a node.
    pub names: Vec<EntryId>,
    /// Each with its node.
    pub ids: Vec<EntryId>,
    /// `kpki renew all --due` takes every one of them, and has nothing to leave to an external authority.
    pub due: bool,
    /// Only a profile says what belongs there.
    pub by_profile: bool,
    /// When the first of them ends.
    pub first_end: Option<OffsetDateTime>,
}

/// In which order an expired cluster comes back: each needs the ones before it.
pub const REPAIR_ORDER: [(&str, &[&str]); 6] = [
    ("authorities", &["ca", "front-proxy-ca", "etcd-ca"]),
    ("etcd", &["etcd-server", "etcd-peer", "etcd-healthcheck-client", "apiserver-etcd-client"]),
    ("API server", &["apiserver", "apiserver-kubelet-client"]),
    ("front proxy", &["front-proxy-client"]),
    ("kubeconfigs", &["admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf"]),
    ("kubelet", &["kubelet.conf", "kubelet-serving"]),
];

/// Every kind of finding once, the most urgent first.
pub fn advice(trees: &[JudgedTree]) -> Vec<Advice> {
    let mut found: BTreeMap<(Problem, Remedy), Vec<Found<'_>>> = BTreeMap::new();
    for (tree, from) in trees.iter().zip(0..) {
        for judged in &tree.items {
            for problem in problems(tree, judged) {
                let remedy = remedy(problem, tree, judged);
                found.entry((problem, remedy)).or_default().push(Found { tree, from, judged });
            }
        }
    }
    found.into_iter().map(|((problem, remedy), items)| one(problem, remedy, &items, trees)).collect()
}

struct Found<'a> {
    tree: &'a JudgedTree,
    /// The tree's position.
    from: usize,
    judged: &'a Judged,
}

fn one(problem: Problem, remedy: Remedy, items: &[Found<'_>], trees: &[JudgedTree]) -> Advice {
    let places: Vec<Affected> = items
        .chunk_by(|one, next| one.tree.origin == next.tree.origin)
        .filter_map(|items| affected(problem, items, trees))
        .collect();
    let mut said = BTreeSet::new();
    let names = places.iter().flat_map(|place| &place.names).map(ToString::to_string);
    let names = names.filter(|name| said.insert(name.clone())).collect();
    let mut roots: Vec<&str> = items.iter().map(|found| found.tree.root.as_str()).collect();
    roots.dedup();
    let replaces = match remedy {
        Remedy::Renew | Remedy::Replace => problem != Problem::Serial,
        Remedy::RenewAuthority => true,
        _ => false,
    };
    Advice {
        problem,
        remedy,
        count: items.len(),
        trees: roots.len(),
        names,
        places,
        order: if problem == Problem::Expired { order(items) } else { Vec::new() },
        restart: if replaces { restart(items) } else { Vec::new() },
        kubernetes: items.first().map(|found| found.tree.policy.kubernetes).unwrap_or_default(),
    }
}

/// The findings of one origin. Its trees follow each other.
fn affected(problem: Problem, items: &[Found<'_>], trees: &[JudgedTree]) -> Option<Affected> {
    let first = items.first()?;
    let origin = &first.tree.origin;
    let (mut ids, mut having, mut affected) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut seen = BTreeSet::new();
    for found in items {
        let item = &found.judged.item;
        let name = if origin.is_tree() { entry(item) } else { &item.name };
        let id = found.tree.id(name);
        if seen.insert(id.clone()) {
            *affected.entry(name).or_insert(0) += 1;
            ids.push(id);
        }
    }
    let mut is_external = false;
    let is_beside = |tree: &&JudgedTree| tree.origin == *origin;
    let (before, after) = trees.split_at_checked(first.from).unwrap_or_default();
    for tree in before.iter().rev().take_while(is_beside).chain(after.iter().take_while(is_beside)) {
        is_external |= tree.items.iter().any(|Judged { item, .. }| item.externally_managed && !item.has_issuer);
        for name in tree.items.iter().map(|judged| entry(&judged.item)).collect::<BTreeSet<_>>() {
            *having.entry(name).or_insert(0) += 1;
        }
    }
    let mut names: Vec<EntryId> = Vec::new();
    let mut said = BTreeSet::new();
    for id in &ids {
        let is_everywhere = affected.get(id.name.as_str()) == having.get(id.name.as_str());
        let name = if is_everywhere { EntryId::new(None, &id.name) } else { id.clone() };
        if said.insert(name.clone()) {
            names.push(name);
        }
    }
    Some(Affected {
        origin: origin.clone(),
        path: first.judged.item.path.clone(),
        root: first.tree.root.clone(),
        names,
        ids,
        due: items.iter().all(|found| is_due(problem, found)) && !is_external,
        by_profile: items.iter().any(|found| is_without_certificate(found.judged)),
        first_end: items.iter().filter_map(|found| found.judged.expires).min(),
    })
}

/// What `kpki renew --due` finds by itself; what does not exist may be left out on purpose, and is made by name.
fn is_due(problem: Problem, found: &Found<'_>) -> bool {
    match problem {
        Problem::Expired
        | Problem::Revoked
        | Problem::WrongIssuer
        | Problem::KeyMismatch
        | Problem::KeyUnusable
        | Problem::CutAuthorityData
        | Problem::TooOld => true,
        Problem::Ending => {
            let Reading::Certificate(facts) = &found.judged.item.reading else { return false };
            let lifetime = (facts.not_after - facts.not_before).whole_seconds();
            let window = found.tree.policy.renewal.map_or(0, |before| before.seconds(lifetime));
            found.judged.state == State::Expired || found.judged.residual.is_some_and(|left| left <= window)
        }
        _ => false,
    }
}

fn order(items: &[Found<'_>]) -> Vec<(&'static str, Vec<String>)> {
    let expired = |name: &str| items.iter().any(|found| found.judged.item.name == name);
    let mut order: Vec<(&'static str, Vec<String>)> = REPAIR_ORDER
        .into_iter()
        .map(|(group, names)| {
            (group, names.iter().filter(|name| expired(name)).map(|name| (*name).to_owned()).collect::<Vec<_>>())
        })
        .filter(|(_, names)| !names.is_empty())
        .collect();
    let mut others: Vec<String> = items
        .iter()
        .map(|found| found.judged.item.name.clone())
        .filter(|name| !REPAIR_ORDER.iter().any(|(_, names)| names.contains(&name.as_str())))
        .collect();
    others.sort();
    others.dedup();
    if !others.is_empty() {
        order.push(("further certificates", others));
    }
    order
}

/// A new authority comes with new certificates of everything it signed.
fn restart(items: &[Found<'_>]) -> Vec<&'static str> {
    let entries = items.iter().flat_map(|Found { tree, judged, .. }| {
        let name = judged.item.owner_of_key().unwrap_or(&judged.item.name);
        let signed = CaId::parse(name).map(|ca| catalog::ENTRIES.iter().filter(move |entry| entry.signer == Some(ca)));
        let names = signed.into_iter().flatten().map(|entry| entry.name).chain(std::iter::once(name));
        names.map(|name| (name, tree.policy.kubernetes.release)).collect::<Vec<_>>()
    });
    let held: Vec<&str> = entries
        .flat_map(|(entry, release)| {
            catalog::find(entry).into_iter().flat_map(move |entry| readers::of(entry.name, release))
        })
        .filter(|reader| reader.action == Action::Restart)
        .map(|reader| reader.component)
        .collect();
    COMPONENTS.into_iter().filter(|component| held.contains(component)).collect()
}
