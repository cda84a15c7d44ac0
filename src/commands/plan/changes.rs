//! From the reports of both verbs to what changes. What init makes first, renew does not have to make.

use std::collections::HashSet;

use crate::report::plan::{Action, Change, Cluster, Remark, Verb};
use crate::report::renew::{self, RenewalEntry, Tree};
use crate::report::revoke::Signing;
use crate::report::{Init, Item};
use crate::tree::EntryId;

/// Nothing of it is there.
pub fn is_new(made: &Init) -> bool {
    made.items.iter().all(|item| item.action == "create")
}

pub fn of_init(cluster: &mut Cluster, made: &Init) {
    for item in &made.items {
        let action = match item.action {
            "keep" => continue,
            "request" | "left" => Action::Left,
            _ => Action::Make,
        };
        let reasons = if action == Action::Make { vec!["missing".to_owned()] } else { item.reasons.clone() };
        cluster.changes.push(change(action, Verb::Init, &item.id, reasons));
    }
    keys(cluster, &made.closed);
    made.warnings.iter().for_each(|text| remark(cluster, Verb::Init, text));
}

pub fn of_renew(cluster: &mut Cluster, tree: &Tree) {
    let known: HashSet<EntryId> = cluster.changes.iter().map(|change| change.id.clone()).collect();
    for entry in &tree.entries {
        let action = match entry.action {
            renew::Action::Keep | renew::Action::NotApplicable => continue,
            renew::Action::Create => Action::Make,
            renew::Action::Renew => Action::Renew,
            renew::Action::Skipped => Action::Left,
        };
        if known.contains(&entry.id) {
            continue;
        }
        cluster.changes.push(of_entry(action, entry));
    }
    for list in &tree.lists {
        let (action, reasons) = match list.action {
            Signing::Sign => (Action::Sign, vec!["its next update is due".to_owned()]),
            Signing::Skipped => (Action::Left, list.why.clone().into_iter().collect()),
            Signing::Keep => continue,
        };
        cluster.changes.push(change(action, Verb::Renew, &EntryId::new(None, &list.name), reasons));
    }
    keys(cluster, &tree.closed);
    tree.warnings.iter().chain(&tree.elsewhere).for_each(|text| remark(cluster, Verb::Renew, text));
}

/// What does not fit the profile after both: a renewal that nothing here does.
pub fn still_unfit(cluster: &mut Cluster, made: &Init) {
    let left: HashSet<&String> = made.left_to_renew.iter().collect();
    let known: HashSet<EntryId> = cluster.changes.iter().map(|change| change.id.clone()).collect();
    let is_left = |item: &&Item| !known.contains(&item.id) && left.contains(&item.id.to_string());
    for item in made.items.iter().filter(is_left) {
        let why = "it does not fit the profile, and is not renewed by renew all --due".to_owned();
        cluster.changes.push(change(Action::Left, Verb::Renew, &item.id, vec![why]));
    }
}

fn of_entry(action: Action, entry: &RenewalEntry) -> Change {
    let reasons = entry.reasons.clone();
    let (names_added, names_removed) = (entry.names_added.clone(), entry.names_removed.clone());
    Change { names_added, names_removed, ..change(action, Verb::Renew, &entry.id, reasons) }
}

fn change(action: Action, verb: Verb, id: &EntryId, reasons: Vec<String>) -> Change {
    Change { action, id: id.clone(), verb, reasons, names_added: Vec::new(), names_removed: Vec::new() }
}

fn keys(cluster: &mut Cluster, closed: &[&'static str]) {
    cluster.keys_to_open.extend(closed);
    cluster.keys_to_open.sort_unstable();
    cluster.keys_to_open.dedup();
}

/// A warning that is said once.
fn remark(cluster: &mut Cluster, verb: Verb, text: &str) {
    // Of the same text, the one of the renewal is shown to people.
    match cluster.warnings.iter_mut().find(|known| known.text == text) {
        Some(known) => known.verb = verb,
        None => cluster.warnings.push(Remark { verb, text: text.to_owned() }),
    }
}
