//! From targets to findings, a target on each thread.

use super::request::Request;
use crate::error::Error;
use crate::files::{FileError, Kind, Op};
use crate::parallel;
use crate::report::verify::Verify;
use crate::verify::inventory::{Inventory, inventory};
use crate::verify::{self, Choice, Verification};
use crate::workspace::Progress;
use crate::workspace::interrupted::{self, Interrupted};
use crate::workspace::load::{self, Unit};
use crate::workspace::targets::{self, Target};

/// Verifies everything. Returns the report and warnings.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Verify, Vec<String>), Error> {
    let targets::Resolved { targets, mut warnings } = targets::resolve(&request.trees)?;
    warnings.extend(targets.iter().filter_map(unknown_rules));
    let mut units = Vec::new();
    for target in &targets {
        match load::units(target) {
            Some(found) => units.extend(found.into_iter().map(Ok)),
            None if targets.len() == 1 => return Err(missing(target)),
            None => units.push(Err(target)),
        }
    }
    let count = units.len();
    let work = |index: usize| units.get(index).map(|unit| one(unit.as_ref(), count > 1, request));
    let clusters = parallel::map(count, request.threads, work, |done| progress(done, count))
        .map_err(|parallel::Died| Error::new("a thread ended before its work").hint("report this as a bug"))?;
    let (clusters, inventories): (Vec<_>, Vec<_>) = clusters.into_iter().unzip();
    let rules = verify::all().filter(|rule| request.selection.has(rule)).collect();
    let inventories = inventories.into_iter().flatten().collect();
    Ok((Verify { at: request.at, rules, clusters, inventories }, warnings))
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

/// What is to be said, and what is there, where that was asked for: nothing, where it cannot be looked at. `Err`: a target that
/// does not exist.
fn one(
    unit: Result<&Unit<'_>, &&Target>,
    is_one_of_many: bool,
    request: &Request,
) -> (Verification, Option<Inventory>) {
    let nothing = |said| (said, request.with_inventory.then(Inventory::default));
    let unit = match unit {
        Ok(unit) => unit,
        Err(target) => {
            return nothing(verify::unreadable(&target.root.display().to_string(), &Kind::Missing.to_string()));
        }
    };
    let root = unit.root.display().to_string();
    match interrupted::look(&unit.roots()) {
        Err(why) => return nothing(verify::unreadable(&root, &why.to_string())),
        Ok(left) if left.iter().any(|one| matches!(one, Interrupted::Unfinished(_))) => {
            return nothing(verify::interrupted(&root));
        }
        Ok(_) => {}
    }
    match unit.cluster(request.at) {
        None if is_one_of_many => nothing(verify::outside(&root)),
        None => nothing(verify::unreadable(&root, "expected a node's kubernetes directory or a cluster directory")),
        Some(cluster) => {
            let said = verify::judge(&cluster, request.policy, &request.selection, request.edges);
            (said, request.with_inventory.then(|| inventory(&cluster)))
        }
    }
}
