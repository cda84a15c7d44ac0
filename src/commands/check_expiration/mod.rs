//! `kpki check-expiration`: targets, inventory, judgement, report. Reads only: no network, no lock, of keys their public half.

mod destination;
mod rotations;
mod signer;
mod unreadable;

use time::OffsetDateTime;

use crate::audit::{self, JudgedTree, Limit, Policy, State};
use crate::encrypted::Password;
use crate::error::Error;
use crate::files;
use crate::inventory::{self, Form, Reading, Tree};
use crate::parallel;
use crate::profile::Threshold;
use crate::report::{Check, Interruption, Selection};
use crate::signals;
use crate::workspace::interrupted::{self, Interrupted};
use crate::workspace::targets::{self, Target};
use crate::workspace::{Progress, TreeArgs};
pub use destination::write;
use unreadable::{nothing, unreadable};

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    /// Thresholds of the command line, which override the profiles'.
    pub warning: Option<Threshold>,
    pub critical: Option<Threshold>,
    pub ca_warning: Option<Threshold>,
    pub ca_critical: Option<Threshold>,
    pub selection: Selection,
    pub at: OffsetDateTime,
    pub as_of: bool,
    /// Compare the files of keys with their certificates in a large fleet, too.
    pub keys: bool,
    pub threads: usize,
    /// Of PKCS#12 files and Java keystores.
    pub password: Option<Password>,
}

/// Reads and judges everything. Returns the report and warnings.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Check, Vec<String>), Error> {
    let targets::Resolved { targets, mut warnings } = targets::resolve(&request.trees)?;
    let left: Vec<Interruption> = targets.iter().flat_map(interruptions).collect();
    // A signal was held back while an interrupted run was completed.
    signals::check()?;
    let Looked { mut trees, notes, keys } = look(request, &targets, progress)?;
    let failed: Vec<(&Target, Error)> = targets
        .iter()
        .zip(trees.iter().zip(&notes))
        .filter(|(_, (trees, _))| trees.iter().all(|tree| tree.items.is_empty()))
        .map(|(target, (trees, notes))| (target, nothing(target, trees.is_empty(), notes)))
        .collect();
    if failed.len() == targets.len()
        && let Some((_, error)) = failed.into_iter().next()
    {
        return Err(error);
    }
    // A target that cannot be read never hides the others.
    for (target, (trees, notes)) in targets.iter().zip(trees.iter_mut().zip(&notes)) {
        // Of a kubeconfig with a token it is said that there is nothing to judge.
        if trees.iter().all(|tree| tree.items.is_empty()) && notes.is_empty() {
            *trees = vec![unreadable(
                target,
                policy(request, target),
                request.at,
                &nothing(target, trees.is_empty(), notes),
            )];
        }
    }
    warnings.extend(notes.into_iter().flatten());
    warnings.extend(targets.iter().flat_map(Target::strays));
    warnings.extend(targets.iter().flat_map(rotations::remarks));
    if !keys {
        warnings.push(format!(
            "key files are compared with their certificates in up to {MOST_WITH_KEYS} trees; here with --keys"
        ));
    }
    let trees: Vec<JudgedTree> = trees.into_iter().flatten().filter(|tree| !tree.items.is_empty()).collect();
    let mut verdict = audit::verdict(&trees);
    // What is left to do is no state of a certificate, but nothing to be silent about either.
    if left.iter().any(|one| one.open) {
        verdict.state = verdict.state.max(State::Warning);
    }
    let advice = audit::advice(&trees);
    let selection = request.selection.clone();
    Ok((
        Check { at: request.at, as_of: request.as_of, trees, verdict, advice, selection, interruptions: left },
        warnings,
    ))
}

/// Completes an interrupted run before anything is judged, and says what it left to do.
fn interruptions(target: &Target) -> Vec<Interruption> {
    let roots = target.roots(&target.root);
    let directory = target.root.display().to_string();
    let one =
        |left: Interrupted| Interruption { directory: directory.clone(), text: left.to_string(), open: left.is_open() };
    interrupted::complete(&roots).into_iter().map(one).collect()
}

/// Of more trees the files of keys are not read unless that is asked for: it takes a third longer.
const MOST_WITH_KEYS: usize = 100;

/// What is of each target, in the targets' order.
type ByTarget<T> = Vec<Vec<T>>;

/// What was seen in the targets.
struct Looked {
    trees: ByTarget<JudgedTree>,
    notes: ByTarget<String>,
    /// Whether files of keys were read.
    keys: bool,
}

/// The trees of every target, judged, and what is to be said of them; read on all cores.
fn look(request: &Request, targets: &[Target], progress: Progress<'_>) -> Result<Looked, Error> {
    let mut owners = Vec::new();
    let mut wanted = Vec::new();
    for (owner, target) in targets.iter().enumerate() {
        for one in target.requests(request.threads).unwrap_or_default() {
            owners.push(owner);
            let one = inventory::Request { password: request.password.as_ref(), ..one };
            wanted.push(target.refine(one));
        }
        // Copies elsewhere that the profile names: a kubeconfig in a home directory, a proxy's bundle.
        for copy in target.profile.iter().flat_map(|profile| &profile.copies) {
            owners.push(owner);
            wanted.push(inventory::Request {
                profile: target.profile.as_ref(),
                ..inventory::Request::new(copy, Form::File)
            });
        }
    }
    let rotating: Vec<_> = targets.iter().map(rotations::of).collect();
    let keys = request.keys || wanted.len() <= MOST_WITH_KEYS;
    wanted.iter_mut().for_each(|one| one.keys = keys);
    let judge = |index: usize, mut tree: Tree| {
        let (owner, wanted) = (*owners.get(index)?, wanted.get(index)?);
        let target = targets.get(owner)?;
        absent(wanted, &mut tree);
        signer::look(wanted, &mut tree);
        let notes = std::mem::take(&mut tree.notes);
        let origin = target.origin_of(wanted);
        let mut judged = audit::judge_tree(tree, policy(request, target), origin, request.at);
        if let Some(Ok(Some(rotations))) = rotating.get(owner) {
            audit::mark(&mut judged, rotations);
        }
        Some((owner, judged, notes))
    };
    let trees = inventory::all(&wanted, request.threads, progress, judge)
        .map_err(|parallel::Died| Error::new("a thread ended before its work").hint("report this as a bug"))?;
    let (mut judged, mut notes): (ByTarget<JudgedTree>, ByTarget<String>) = (Vec::new(), Vec::new());
    judged.resize_with(targets.len(), Vec::new);
    notes.resize_with(targets.len(), Vec::new);
    for (said, unread) in notes.iter_mut().zip(&rotating) {
        said.extend(unread.as_ref().err().cloned());
    }
    for (owner, tree, mut said) in trees {
        if let (Some(trees), Some(notes)) = (judged.get_mut(owner), notes.get_mut(owner)) {
            trees.push(tree);
            notes.append(&mut said);
        }
    }
    Ok(Looked { trees: judged, notes, keys })
}

/// A copy that does not exist is missing, not unreadable: the profile expects it.
fn absent(wanted: &inventory::Request<'_>, tree: &mut Tree) {
    let (Form::File, Some(profile)) = (wanted.form, wanted.profile) else { return };
    tree.cluster = Some(profile.cluster_name.clone());
    if files::what(None, &wanted.root).is_none() {
        for item in &mut tree.items {
            item.reading = Reading::Missing;
        }
    }
}

/// The thresholds: command line, literally, before profile before defaults.
fn policy(request: &Request, target: &Target) -> Policy {
    let said = target.profile.as_ref().map_or_else(Policy::default, Policy::of_profile);
    Policy {
        warning: request.warning.map_or(said.warning, Limit::typed),
        critical: request.critical.map_or(said.critical, Limit::typed),
        ca_warning: request.ca_warning.map_or(said.ca_warning, Limit::typed),
        ca_critical: request.ca_critical.map_or(said.ca_critical, Limit::typed),
        ..said
    }
}
