//! Reads the trees of every target on all cores, and judges each on the thread that read it.

use super::request::{Request, policy};
use super::{rotations, signer};
use crate::audit::{self, JudgedTree, Rotations};
use crate::error::Error;
use crate::files;
use crate::inventory::{self, Form, Reading, Tree};
use crate::parallel;
use crate::workspace::Progress;
use crate::workspace::targets::Target;

/// Of more trees the files of keys are not read unless that is asked for: it takes a third longer.
pub const MOST_WITH_KEYS: usize = 100;

/// What is of each target, in the targets' order.
pub type ByTarget<T> = Vec<Vec<T>>;

/// What was seen in the targets.
pub struct Looked {
    pub trees: ByTarget<JudgedTree>,
    pub notes: ByTarget<String>,
    /// Of nodes that have left the profile, and what a profile is to say after a rotation.
    pub remarks: Vec<String>,
    /// Whether files of keys were read.
    pub keys: bool,
}

/// The trees of every target, judged, and what is to be said of them; read on all cores.
pub fn look(request: &Request, targets: &[Target], progress: Progress<'_>) -> Result<Looked, Error> {
    let (mut owners, mut wanted, mut rotating) = (Vec::new(), Vec::new(), Vec::new());
    let mut remarks = Vec::new();
    // The directory of a single target is searched on all threads.
    let threads_of_one = if targets.len() == 1 { request.threads } else { 1 };
    let expect = |index: usize| targets.get(index).map(|target| expected(request, target, threads_of_one));
    for (owner, expected) in parallel::map(targets.len(), request.threads, expect, |_| ())?.into_iter().enumerate() {
        owners.extend(expected.wanted.iter().map(|_| owner));
        wanted.extend(expected.wanted);
        rotating.push(expected.rotations);
        remarks.extend(expected.remarks);
    }
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
    let trees = inventory::all(&wanted, request.threads, progress, judge)?;
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
    Ok(Looked { trees: judged, notes, remarks, keys })
}

/// What a target's profile and records say, before its trees are read.
struct Expected<'a> {
    wanted: Vec<inventory::Request<'a>>,
    /// `Err`: a warning.
    rotations: Result<Option<Rotations>, String>,
    remarks: Vec<String>,
}

fn expected<'a>(request: &'a Request, target: &'a Target, threads: usize) -> Expected<'a> {
    let profile = target.profile.as_ref();
    let password = request.password.as_ref();
    let of_tree = target.requests(threads).unwrap_or_default().into_iter();
    let of_tree = of_tree.map(|one| target.refine(inventory::Request { password, ..one }));
    // Copies elsewhere that the profile names: a kubeconfig in a home directory, a proxy's bundle.
    let copies = profile.into_iter().flat_map(|profile| &profile.copies);
    let copies = copies.map(|copy| inventory::Request { profile, ..inventory::Request::new(copy, Form::File) });
    let (rotations, unmoved) = rotations::of(target);
    let remarks = target.strays().into_iter().chain(unmoved).collect();
    Expected { wanted: of_tree.chain(copies).collect(), rotations, remarks }
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
