//! From targets to findings, a target on each thread.

use super::request::Request;
use crate::error::Error;
use crate::files::{self, FileError, Kind, Op};
use crate::parallel;
use crate::report::verify::Verify;
use crate::store::Roots;
use crate::verify::{self, Choice, Verification};
use crate::workspace::interrupted::{self, Interrupted};
use crate::workspace::targets::{self, Target};
use crate::workspace::{Progress, load};

/// Verifies everything. Returns the report and warnings.
pub fn run(request: &Request, progress: Progress<'_>) -> Result<(Verify, Vec<String>), Error> {
    let targets::Resolved { targets, mut warnings } = targets::resolve(&request.trees)?;
    if let [only] = targets.as_slice() {
        exists(only)?;
    }
    warnings.extend(targets.iter().filter_map(unknown_rules));
    let count = targets.len();
    let work = |index: usize| targets.get(index).map(|target| one(target, request));
    let clusters = parallel::map(count, request.threads, work, |done| progress(done, count))
        .map_err(|parallel::Died| Error::new("a thread ended before its work").hint("report this as a bug"))?;
    Ok((Verify { at: request.at, clusters }, warnings))
}

/// A rule of another release, or one with a slip.
fn unknown_rules(target: &Target) -> Option<String> {
    let ignored = target.profile.as_ref().map(|profile| profile.verify_ignore.as_slice()).unwrap_or_default();
    let unknown: Vec<&str> =
        ignored.iter().filter(|one| !Choice::from(*one).is_known()).map(|one| one.rule.as_str()).collect();
    let root = target.root.display();
    (!unknown.is_empty()).then(|| format!("{root}: verify.ignore names no rule of kpki verify: {}", unknown.join(", ")))
}

fn exists(target: &Target) -> Result<(), Error> {
    match files::what(None, &target.root) {
        Some(_) => Ok(()),
        None => Err(Error::from(FileError::new(Op::Open, &target.root, Kind::Missing))
            .hint("give the tree with --dir: a node's kubernetes directory or a cluster directory")),
    }
}

fn one(target: &Target, request: &Request) -> Verification {
    let roots = Roots { main: target.root.clone(), kubelet: target.kubelet_dir.clone() };
    let root = target.root.display().to_string();
    match interrupted::look(&roots) {
        Err(why) => return verify::unreadable(&root, &why.to_string()),
        Ok(left) if left.iter().any(|one| matches!(one, Interrupted::Unfinished(_))) => {
            return verify::interrupted(&root, &target.origin);
        }
        Ok(_) => {}
    }
    match load::cluster(target, request.at) {
        None => verify::unreadable(&root, "expected a node's kubernetes directory or a cluster directory"),
        Some(cluster) => verify::judge(&cluster, request.policy, &request.selection),
    }
}
