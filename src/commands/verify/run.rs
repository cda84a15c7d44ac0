//! From targets to findings, a target on each thread.

use std::path::PathBuf;

use super::live;
use super::read::{Found, read};
use super::request::Request;
use super::said::{Said, judge, nothing};
use crate::error::Error;
use crate::files::{FileError, Kind, Op};
use crate::parallel;
use crate::report::verify::Verify;
use crate::verify::{self, Choice};
use crate::workspace::load;
use crate::workspace::targets::{self, Target};
use crate::workspace::{Progress, TreeArgs};

/// Verifies everything. Returns the report and warnings.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Verify, Vec<String>), Error> {
    let targets::Resolved { targets, mut warnings } = targets::resolve(&request.trees, request.threads)?;
    let targets = each_tree(&request.trees, request.threads, targets, &mut warnings)?;
    warnings.extend(targets.iter().filter_map(unknown_rules));
    warnings.extend(targets.iter().flat_map(Target::strays));
    let mut units = Vec::new();
    for target in &targets {
        match load::units(target) {
            Some(found) => units.extend(found.into_iter().map(Ok)),
            None if targets.len() == 1 => return Err(missing(target)),
            None => units.push(Err(target)),
        }
    }
    let mut said = match &request.live {
        None => judged(&units, request, progress)?,
        Some(live) => live::run(&units, request, live, progress)?,
    };
    for (unit, (said, _)) in units.iter().zip(&mut said) {
        if let Some(why) = unit.as_ref().ok().and_then(load::Unit::profile_error) {
            verify::without_profile(said, &why.to_string());
        }
        if let Some((path, why, repair)) = unit.as_ref().ok().and_then(load::Unit::damaged_rotations) {
            verify::without_rotations(said, &path, &why, repair);
        }
    }
    let (clusters, inventories): (Vec<_>, Vec<_>) = said.into_iter().unzip();
    let rules = verify::all().filter(|rule| request.selection.has(rule)).collect();
    let inventories = inventories.into_iter().flatten().collect();
    Ok((Verify { at: request.at, rules, clusters, inventories }, warnings))
}

/// The trees in a directory are targets of their own, each by the profile it records; other files beside them stay.
fn each_tree(
    args: &TreeArgs,
    threads: usize,
    targets: Vec<Target>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Target>, Error> {
    let mut all = Vec::new();
    for target in targets {
        let units = load::units(&target).filter(|units| units.len() > 1 && target.profile.is_none());
        let dirs: Vec<PathBuf> =
            units.iter().flatten().filter(|unit| unit.root != target.root).map(|unit| unit.root.clone()).collect();
        if dirs.is_empty() {
            all.push(target);
            continue;
        }
        let is_loose = units.is_some_and(|units| units.len() > dirs.len());
        let args = TreeArgs { dirs, profiles: Vec::new(), fleet: None, state: None, ..args.clone() };
        let mut inner = targets::resolve(&args, threads)?;
        warnings.append(&mut inner.warnings);
        all.append(&mut inner.targets);
        if is_loose {
            all.push(Target { is_beside_trees: true, ..target });
        }
    }
    Ok(all)
}

/// A rule of another release, or one with a slip.
fn unknown_rules(target: &Target) -> Option<String> {
    let ignored = target.profile.as_ref().map(|profile| profile.verify_ignore.as_slice()).unwrap_or_default();
    let unknown: Vec<&str> =
        ignored.iter().filter(|one| !Choice::from(*one).is_known()).map(|one| one.rule.as_str()).collect();
    let root = target.root.display();
    (!unknown.is_empty()).then(|| format!("{root}: verify.ignore names no rule of kpki verify: {}", unknown.join(", ")))
}

fn missing(target: &Target) -> Error {
    Error::from(FileError::new(Op::Open, &target.root, Kind::Missing))
        .hint("give the tree with --dir: a node's kubernetes directory or a cluster directory")
}

fn judged(units: &[Found<'_>], request: &Request, progress: Progress<'_>) -> Result<Vec<Said>, Error> {
    let count = units.len();
    let one = |found: &Found<'_>| match read(found, count > 1, request.at) {
        Ok(cluster) => judge(&cluster, request, None),
        Err(said) => nothing(*said, request),
    };
    Ok(parallel::map(count, request.threads, |index| units.get(index).map(one), |done| progress(done, count))?)
}
