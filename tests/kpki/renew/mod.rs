//! `kpki renew`, `history` and `restore` as their user runs them.

mod fixtures;
mod fleet;
mod generations;
mod names;
mod referred;
mod repairs;
mod rotating;
mod safe_host;
mod safety;
mod time;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use super::harness::{NOW, Place, Run, repository, single, tree};

/// A fixture of kubeadm with the modes kubeadm gave it, as `k8s`.
fn fixture(folder: &str) -> Place {
    let place = Place::new();
    copy_fixture(folder, &place.path("k8s"));
    place
}

fn copy_fixture(folder: &str, to: &Path) {
    super::harness::copy_tree(&repository("fixtures/kubeadm").join(folder).join("etc-kubernetes"), to);
    for (name, _) in tree(to).iter().filter(|(name, _)| name.ends_with(".crt")) {
        fs::set_permissions(to.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
}

/// A tree made by kpki in `k8s`, from `p.yaml`.
fn made(lines: &str) -> Place {
    let place = Place::new();
    place.write("p.yaml", single(lines));
    place.init(&["--profile", "p.yaml", "--dir", "k8s"]).ok();
    place
}

/// `kpki renew WORDS... --dir k8s --at NOW`.
fn renew(place: &Place, words: &[&str]) -> Run {
    renew_at(place, NOW, words)
}

fn renew_at(place: &Place, at: &str, words: &[&str]) -> Run {
    place.kpki(&[&["renew", "--dir", "k8s", "--at", at], words].concat())
}

/// The same as a report; exit status 0.
fn report(place: &Place, words: &[&str]) -> Value {
    renew(place, &[words, &["-o", "json"]].concat()).ok().json()["trees"][0].clone()
}

/// Every entry's `NODE/NAME` with what became of it.
fn actions(tree: &Value) -> BTreeMap<String, String> {
    let id = |entry: &Value| match entry["node"].as_str() {
        Some(node) => format!("{node}/{}", entry["name"].as_str().unwrap()),
        None => entry["name"].as_str().unwrap().to_owned(),
    };
    let entries = tree["entries"].as_array().unwrap().iter();
    entries.map(|entry| (id(entry), entry["action"].as_str().unwrap().to_owned())).collect()
}

/// The names with this action.
fn with<'a>(actions: &'a BTreeMap<String, String>, action: &str) -> Vec<&'a str> {
    actions.iter().filter(|(_, found)| *found == action).map(|(name, _)| name.as_str()).collect()
}

/// The tree without what kpki remembers for itself.
fn visible(place: &Place) -> BTreeMap<String, (u32, Vec<u8>)> {
    tree(&place.path("k8s")).into_iter().filter(|(name, _)| !name.starts_with(".kpki")).collect()
}

fn journal(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(place.path("k8s/.kpki/journal.jsonl")).unwrap_or_default();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
