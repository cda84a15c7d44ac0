//! `kpki check-expiration`: targets, inventory, judgement, report. Reads only: no network, no key, no lock.

mod collect;
mod targets;

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::audit::{self, JudgedTree, Policy, Threshold};
use crate::error::Error;
use crate::inventory::{self, Item, Kind, Reading, Tree};
use crate::parallel;
use crate::report::{Check, Selection};
use crate::store;
use targets::Target;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub paths: Vec<PathBuf>,
    pub profiles: Vec<PathBuf>,
    /// A directory of profiles and trees.
    pub fleet: Option<PathBuf>,
    pub kubelet_dir: Option<PathBuf>,
    /// What the command line says, over the profiles.
    pub warning: Option<Threshold>,
    pub critical: Option<Threshold>,
    pub ca_warning: Option<Threshold>,
    pub ca_critical: Option<Threshold>,
    pub selection: Selection,
    pub at: OffsetDateTime,
    pub as_of: bool,
    pub hostname: Option<String>,
    pub threads: usize,
}

/// Told how many of how many targets are done, on the caller's thread.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// Looks at everything, and says what is worth a warning beside it.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Check, Vec<String>), Error> {
    let targets::Resolved { targets, warnings } = targets::resolve(request)?;
    let looked = look(request, &targets, progress);
    let mut trees = Vec::new();
    let mut failed = Vec::new();
    for (target, outcome) in targets.iter().zip(looked) {
        match outcome {
            Ok(judged) => trees.extend(judged),
            Err(error) => {
                // One place that cannot be looked at never hides the others.
                trees.push(unreadable(request, target, &error));
                failed.push(error);
            }
        }
    }
    if failed.len() == targets.len()
        && let Some(error) = failed.into_iter().next()
    {
        return Err(error);
    }
    let verdict = audit::verdict(&trees);
    let advice = audit::advice(&trees);
    let check =
        Check { at: request.at, as_of: request.as_of, trees, verdict, advice, selection: request.selection.clone() };
    Ok((check, warnings))
}

/// Puts a report where others read it, at once: node_exporter's user among them.
pub fn write(path: &Path, text: &str) -> Result<(), Error> {
    Ok(store::replace_file(path, text.as_bytes(), 0o644)?)
}

/// Every tree of every target on all cores; in the targets' order.
fn look(request: &Request, targets: &[Target], progress: Progress<'_>) -> Vec<Result<Vec<JudgedTree>, Error>> {
    let found: Vec<_> = targets.iter().map(collect::requests).collect();
    let jobs: Vec<_> = targets
        .iter()
        .zip(&found)
        .flat_map(|(target, found)| found.iter().flatten().map(move |tree| (target, tree)))
        .collect();
    let judge = |index: usize| {
        jobs.get(index).map(|(target, tree)| {
            let tree = inventory::tree(tree);
            audit::judge_tree(tree, policy(request, target), target.origin.clone(), request.at)
        })
    };
    let total = jobs.len();
    let judged = parallel::map(total, request.threads, judge, |done| progress(done, total));
    // A thread that died leaves nothing half done: the work is done again, here.
    let judged = judged.unwrap_or_else(|parallel::Died| (0..total).filter_map(judge).collect());
    let mut judged = judged.into_iter();
    targets
        .iter()
        .zip(found)
        .map(|(target, found)| {
            let trees: Vec<JudgedTree> = judged.by_ref().take(found?.len()).collect();
            collect::something(target, &trees)?;
            Ok(trees)
        })
        .collect()
}

/// The command line over the profile over the defaults.
fn policy(request: &Request, target: &Target) -> Policy {
    let said = target.profile.as_ref().map_or_else(Policy::default, Policy::of_profile);
    Policy {
        warning: request.warning.unwrap_or(said.warning),
        critical: request.critical.unwrap_or(said.critical),
        ca_warning: request.ca_warning.unwrap_or(said.ca_warning),
        ca_critical: request.ca_critical.unwrap_or(said.ca_critical),
        renewal: said.renewal,
    }
}

/// A place nothing could be had from, as one item that says why.
fn unreadable(request: &Request, target: &Target, error: &Error) -> JudgedTree {
    let root = target.root.display().to_string();
    let why = std::iter::once(&error.what).chain(&error.why).cloned().collect::<Vec<_>>().join(": ");
    let item = Item {
        name: root.clone(),
        path: root.clone(),
        kind: Kind::Certificate,
        position: 0,
        authority: None,
        optional: false,
        externally_managed: false,
        reading: Reading::Unreadable(why),
    };
    let cluster = target.profile.as_ref().map(|profile| profile.cluster_name.clone());
    let tree = Tree { root, cluster, node: None, items: vec![item] };
    audit::judge_tree(tree, policy(request, target), target.origin.clone(), request.at)
}
