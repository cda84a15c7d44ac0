//! `kpki check-expiration`: targets, inventory, judgement, report. Reads only: no network, no lock, of keys their public half.

mod destination;
mod look;
mod request;
mod rotations;
mod signer;
mod unreadable;

use crate::audit::{self, JudgedTree, State};
use crate::error::Error;
use crate::report::{Check, Interruption};
use crate::signals;
use crate::workspace::Progress;
use crate::workspace::interrupted::{self, Interrupted};
use crate::workspace::targets::{self, Target};

pub use destination::{check as check_destination, write};
pub use request::Request;

use look::{Looked, MOST_WITH_KEYS, look};
use request::policy;
use unreadable::{nothing, unreadable};

/// Reads and judges everything. Returns the report and warnings.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Check, Vec<String>), Error> {
    let targets::Resolved { targets, mut warnings } = targets::resolve(&request.trees, request.threads)?;
    let left: Vec<Interruption> = targets.iter().flat_map(interruptions).collect();
    // A signal was held back while an interrupted run was completed.
    signals::check()?;
    let Looked { mut trees, notes, remarks, keys } = look(request, &targets, progress)?;
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
    warnings.extend(remarks);
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
