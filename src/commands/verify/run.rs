//! From targets to findings, a target on each thread.

use super::live;
use super::read::{Found, read};
use super::request::Request;
use super::said::{Said, judge, nothing};
use crate::error::Error;
use crate::files::{FileError, Kind, Op};
use crate::parallel;
use crate::report::verify::Verify;
use crate::verify::{self, Choice};
use crate::workspace::Progress;
use crate::workspace::load;
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
    let said = match &request.live {
        None => judged(&units, request, progress)?,
        Some(live) => live::run(&units, request, live, progress)?,
    };
    let (clusters, inventories): (Vec<_>, Vec<_>) = said.into_iter().unzip();
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

fn judged(units: &[Found<'_>], request: &Request, progress: Progress<'_>) -> Result<Vec<Said>, Error> {
    let count = units.len();
    let one = |found: &Found<'_>| match read(found, count > 1, request.at) {
        Ok(cluster) => judge(&cluster, request, None),
        Err(said) => nothing(*said, request),
    };
    parallel::map(count, request.threads, |index| units.get(index).map(one), |done| progress(done, count))
        .map_err(|parallel::Died| Error::new("a thread ended before its work").hint("report this as a bug"))
}
