//! Lists the generations, and restores one in one transaction.

use super::request::{Request, none};
use super::{choose, phase, plain};
use crate::catalog::CaId;
use crate::error::Error;
use crate::files::RelPath;
use crate::plan::restore as plan;
use crate::report::history::{Generation, History, Restored};
use crate::report::restart::restarts;
use crate::revocation::Revoked;
use crate::store::{self, PriorFile, RootId, Roots};
use crate::tree::entry_path::entry_of_path;
use crate::tree::layout::{Place, Root};
use crate::workspace::journal::Note;
use crate::workspace::{TreeDir, generations, profiles, recorded, survey};
use std::path::Path;

/// Every generation, the newest first.
pub fn history(dir: &Path, kubelet_dir: Option<&Path>) -> Result<History, Error> {
    let tree = recorded::tree(dir, kubelet_dir)?;
    let generations = store::generations(&tree.roots)?.iter().map(|one| shown(one, &tree.roots)).collect();
    let warnings = tree.left_by_interrupted()?;
    Ok(History { directory: dir.display().to_string(), generations, warnings })
}

fn shown(generation: &store::Generation, roots: &Roots) -> Generation {
    let (stamp, verb) = generation.name.split_once('-').unwrap_or((&generation.name, ""));
    let verb = verb.split('.').next().unwrap_or(verb);
    let unnoted = || Note { command: verb.to_owned(), time: stamp.to_owned(), entries: Vec::new() };
    let note = generation.note.as_ref().and_then(Note::read).unwrap_or_else(unnoted);
    let paths = |files: &[(RootId, RelPath)]| files.iter().map(|(root, path)| roots.shown(*root, path)).collect();
    Generation {
        name: generation.name.clone(),
        time: note.time,
        command: note.command,
        entries: note.entries,
        replaced: paths(&generation.kept),
        created: paths(&generation.created),
    }
}

/// Restores the tree as it was before the command of a generation.
pub fn run(request: &Request) -> Result<Restored, Error> {
    let tree = recorded::tree(&request.dir, request.kubelet_dir.as_deref())?;
    let roots = &tree.roots;
    if request.run.dry_run {
        let name = choose::choose(request, roots)?;
        phase::refuse_across(request, roots, &name)?;
        let all = generations::before(roots, &name)?;
        let mut warnings = verified(request, &tree, &name, &all)?;
        warnings.extend(tree.left_by_interrupted()?);
        let lists_left = generations::crls_left(roots, &name)?;
        let prior = generations::changed(roots, all)?;
        let report = Restored { warnings, lists_left, ..restored(request, roots, &name, &prior) };
        return Ok(report);
    }
    if survey::open(&request.dir.join(".kpki/generations"))?.is_none() {
        return Err(none(&request.dir));
    }
    let locked = tree.lock(request.run.lock_wait)?;
    let name = choose::choose(request, roots)?;
    phase::refuse_across(request, roots, &name)?;
    let warnings = verified(request, &tree, &name, &generations::before(roots, &name)?)?;
    // Everything that can fail is read before the commit: a restore that is done is no error.
    let lists_left = generations::crls_left(roots, &name)?;
    let (prior, kept) = generations::put_back(&tree, &locked, &name, request.run.now, None)?;
    Ok(Restored { warnings, kept, lists_left, ..restored(request, roots, &name, &prior) })
}

/// Warnings about the tree as it would be. Refuses to restore a certificate or key if the matching key or certificate
/// was replaced since by another program.
fn verified(request: &Request, tree: &TreeDir, name: &str, prior: &[PriorFile]) -> Result<Vec<String>, Error> {
    plain::refuse_plain(request, tree, prior)?;
    let place = |one: &PriorFile| {
        let root = match one.root {
            RootId::Main => Root::Main,
            RootId::Kubelet => Root::Kubelet,
            RootId::Certificates => Root::Certificates,
            RootId::State => return None,
        };
        Some(Place { root, path: one.path.to_string() })
    };
    let back: plan::Files = prior
        .iter()
        .filter_map(|one| Some((place(one)?, one.content.as_ref().map(|(_, bytes)| bytes.clone()))))
        .collect();
    let authorities = CaId::ALL.map(|authority| tree.directories.authority(authority).0);
    let mut there = plan::Files::new();
    for place in plan::siblings(back.keys()).iter().chain(back.keys()).chain(&authorities) {
        there.insert(place.clone(), survey::read(&tree.roots, place.root_id(), &RelPath::parse(place.path.as_str())?)?);
    }
    let judgement = plan::judge(&back, &there, &authorities, &tree.roots, request.run.now);
    if !judgement.torn.is_empty() {
        return Err(not_whole(request, &tree.roots, &judgement.torn));
    }
    let mut warnings = judgement.warnings;
    let (revoked, unusable) = generations::revoked(tree, &generations::changed(&tree.roots, prior.to_vec())?)?;
    if !revoked.is_empty() && !request.force {
        return Err(in_use_again(request, name, &revoked));
    }
    warnings.extend(revoked.iter().map(|(path, entry)| plan::revoked(path, entry)));
    warnings.extend(unusable);
    Ok(warnings)
}

/// CRLs are not restored: what they revoke would be in use again, and refused by every program that reads them.
fn in_use_again(request: &Request, name: &str, revoked: &[(String, Revoked)]) -> Error {
    let (origin, shown) = (request.origin(), request.dir.display());
    let mut error = Error::new(format!("the restore would put revoked certificates in {shown} into use again"));
    for (path, entry) in revoked {
        error = error.because(plan::revoked(path, entry));
    }
    error
        .hint(format!("choose a generation without them: {}", origin.command("history", &[""; 0], &[])))
        .hint(format!("restore them all the same: {}", origin.command("restore", &[name], &["--force"])))
}

fn not_whole(request: &Request, roots: &Roots, torn: &[Place]) -> Error {
    let (origin, shown) = (request.origin(), request.dir.display());
    let mut error = Error::new(format!("the restore would leave certificates in {shown} without their keys"));
    for place in torn {
        let (path, file) = (place.path.as_str(), place.full(roots));
        error =
            error.because(format!("{} would not match the key beside it, which was replaced since", file.display()));
        if let Some(id) = entry_of_path(path) {
            let renew = origin.command("renew", &[id.to_string()], &[]);
            error = error.hint(format!("make a new pair instead: {renew}"));
        }
    }
    error.hint(format!("restore a newer generation that has both files: {}", origin.command("history", &[""; 0], &[])))
}

fn restored(request: &Request, roots: &Roots, name: &str, prior: &[PriorFile]) -> Restored {
    let shown = |one: &PriorFile| roots.shown(one.root, &one.path);
    Restored {
        kubelet_dir: request.kubelet_dir.as_ref().map(|dir| dir.display().to_string()),
        directory: request.dir.display().to_string(),
        generation: name.to_owned(),
        kept: None,
        lists_left: Vec::new(),
        warnings: Vec::new(),
        put_back: prior.iter().filter(|one| one.content.is_some()).map(shown).collect(),
        removed: prior.iter().filter(|one| one.content.is_none()).map(shown).collect(),
        restart: restarts(
            prior.iter().filter_map(|one| entry_of_path(one.path.as_str())),
            profiles::recorded(&request.dir).ok().flatten().map(|(_, profile)| profile).as_ref(),
        ),
    }
}
