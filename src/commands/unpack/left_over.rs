//! Files on the node that the archive does not have any more: the keys of authorities that are elsewhere now, entries of a role
//! that the node has lost.

use super::compare::Step;
use super::place::{Home, Target, of_place};
use crate::catalog::paths::KUBELET_CONF;
use crate::catalog::{ENTRIES, Files};
use crate::error::Error;
use crate::files;
use crate::report::unpack::LeftOver;
use crate::workspace::shipping::manifest::Manifest;
use std::collections::BTreeMap;

/// They stay: nobody said that they may go.
pub fn left_over(home: &Home, before: Option<&Manifest>, steps: &[Step<'_>]) -> Result<Vec<LeftOver>, Error> {
    let mut known: BTreeMap<Target, String> = BTreeMap::new();
    // What the kubelet has made itself was never the archive's.
    let own = |files: Files| matches!(files, Files::KubeletPair(_)) || files == Files::Kubeconfig(KUBELET_CONF);
    for entry in ENTRIES.iter().filter(|entry| !own(entry.files)) {
        let (public, private) = home.tree.directories.files("", entry.files);
        let targets = std::iter::once(public).chain(private).filter_map(of_place);
        known.extend(targets.map(|target| (target, entry.name.to_owned())));
    }
    for one in before.iter().flat_map(|before| &before.entries) {
        let targets = std::iter::once(&one.path).chain(&one.key).filter_map(|path| home.target(path).ok());
        known.extend(targets.map(|target| (target, one.name.clone())));
    }
    known.retain(|target, _| !steps.iter().any(|step| step.target == *target));
    let is_there = |target: &Target| files::what(None, home.shown(target).as_ref()).is_some();
    let left = known.into_iter().filter(|(target, _)| is_there(target));
    Ok(left.map(|(target, entry)| LeftOver { path: home.shown(&target), entry }).collect())
}
