//! One cause, one finding: what only follows from another finding hangs below it.

use std::collections::BTreeMap;

use super::cluster::Cluster;
use super::finding::Finding;
use crate::tree::EntryId;

/// Whose finding explains another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// The authority that signs the file.
    Authority,
    /// An entry of any node.
    Entry(&'static str),
}

/// Beside [`Rule::follows`](super::rule::Rule::follows), which is about one entry: a rule, and the rules whose finding on another
/// entry explains it.
const ELSEWHERE: &[(&str, Of, &[&str])] = &[
    ("chain/broken", Of::Authority, WRONG_AUTHORITY),
    ("chain/expired", Of::Authority, &["date/expired", "date/not-yet-valid", "date/never-valid"]),
    ("kubeconfig/authority", Of::Authority, WRONG_AUTHORITY),
    ("kubeconfig/foreign-authority", Of::Authority, WRONG_AUTHORITY),
    ("kubeconfig/server-name", Of::Entry("apiserver"), &["name/missing-san", "name/malformed-san"]),
    ("date/outlives-authority", Of::Authority, &["date/expired", "date/ending"]),
    ("id/no-authority-key-id", Of::Authority, &["id/no-subject-key-id"]),
];

/// The authority in place is not the one that signed, or none.
const WRONG_AUTHORITY: &[&str] = &[
    "pair/other-key",
    "chain/authority-differs",
    "chain/no-authority",
    "chain/signed-nothing",
    "date/never-valid",
    "usage/unknown-critical",
];

/// The first finding of each rule, by where it is.
#[derive(Debug, Default)]
struct Index<'f> {
    paths: BTreeMap<(&'f str, &'static str), usize>,
    entries: BTreeMap<(&'f EntryId, &'static str), usize>,
    names: BTreeMap<(&'f str, &'static str), usize>,
}

impl<'f> Index<'f> {
    fn of(all: &'f [Finding]) -> Self {
        let mut index = Self::default();
        for (at, one) in all.iter().enumerate() {
            index.paths.entry((one.place.path.as_str(), one.rule.id)).or_insert(at);
            if let Some(entry) = &one.place.entry {
                index.entries.entry((entry, one.rule.id)).or_insert(at);
                index.names.entry((entry.name.as_str(), one.rule.id)).or_insert(at);
            }
        }
        index
    }

    /// The finding that explains this one.
    fn cause(&self, one: &Finding, authority: Option<&str>) -> Option<usize> {
        let here = |rule: &'static str| {
            let by_entry = || self.entries.get(&(one.place.entry.as_ref()?, rule));
            self.paths.get(&(one.place.path.as_str(), rule)).or_else(by_entry).copied()
        };
        let of_authority = |rule: &'static str| {
            let node = one.place.entry.as_ref().and_then(|entry| entry.node.as_deref());
            let at = |node| self.entries.get(&(&EntryId::new(node, authority?), rule)).copied();
            at(node).or_else(|| at(None))
        };
        let elsewhere = |(_, of, causes): &(&str, Of, &[&'static str])| {
            causes.iter().find_map(|rule| match of {
                Of::Authority => of_authority(rule),
                Of::Entry(name) => self.names.get(&(*name, *rule)).copied(),
            })
        };
        let rows = || ELSEWHERE.iter().filter(|(rule, ..)| *rule == one.rule.id);
        one.rule.follows.iter().copied().find_map(here).or_else(|| rows().find_map(elsewhere))
    }
}

/// Findings that only follow from another hang below the first cause.
pub fn below_causes(cluster: &Cluster<'_>, all: Vec<Finding>) -> Vec<Finding> {
    if all.len() < 2 {
        return all;
    }
    let authorities: BTreeMap<&str, &str> = cluster
        .trees
        .iter()
        .flat_map(|tree| &tree.files)
        .filter_map(|file| Some((file.path.as_str(), file.authority?.name())))
        .collect();
    let index = Index::of(&all);
    let cause = |at: &usize| {
        let one = all.get(*at)?;
        index.cause(one, authorities.get(one.place.path.as_str()).copied()).filter(|cause| cause != at)
    };
    let causes: Vec<Option<usize>> = (0..all.len()).map(|at| cause(&at)).collect();
    let first = |at: usize| {
        // Rules that follow each other in a circle explain nothing.
        let path = std::iter::successors(Some(at), |at| causes.get(*at).copied().flatten()).take(causes.len() + 1);
        path.enumerate().last().filter(|(steps, last)| *steps < causes.len() && *last != at).map(|(_, last)| last)
    };
    let firsts: Vec<Option<usize>> = (0..all.len()).map(first).collect();
    let mut below: BTreeMap<usize, Vec<Finding>> = BTreeMap::new();
    let mut top: Vec<(usize, Finding)> = Vec::new();
    for (at, (one, first)) in all.into_iter().zip(firsts).enumerate() {
        match first {
            // What helps the cause helps it, too.
            Some(cause) => below.entry(cause).or_default().push(Finding { repair: Vec::new(), ..one }),
            None => top.push((at, one)),
        }
    }
    for (at, one) in &mut top {
        one.follows.extend(below.remove(at).unwrap_or_default());
    }
    top.into_iter().map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::table::{all, rule};
    use super::*;

    /// Every rule with all that explain it.
    fn explained() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        let mut causes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for one in all() {
            causes.entry(one.id).or_default().extend(one.follows);
        }
        for (id, _, of) in ELSEWHERE {
            causes.get_mut(id).unwrap().extend(*of);
        }
        causes
    }

    #[test]
    fn what_follows_is_never_worse_than_its_cause() {
        for (id, causes) in explained() {
            for cause in causes {
                let (one, cause) = (rule(id).unwrap(), rule(cause).unwrap());
                assert!(one.severity <= cause.severity, "{id} hangs below {}, which counts for less", cause.id);
            }
        }
    }

    #[test]
    fn no_rules_explain_each_other() {
        let causes = explained();
        for id in causes.keys() {
            let (mut seen, mut open) = (BTreeSet::new(), vec![*id]);
            while let Some(one) = open.pop() {
                for cause in &causes[one] {
                    assert_ne!(cause, id, "{id} explains itself by {one}");
                    if seen.insert(*cause) {
                        open.push(cause);
                    }
                }
            }
        }
    }
}
