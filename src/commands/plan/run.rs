//! Each cluster once, on all cores; one that cannot be read does not stop the others.

use super::cluster;
use super::request::{Request, Verbs};
use crate::error::Error;
use crate::report::plan::Plan;
use crate::signals;
use crate::workspace::Progress;
use crate::workspace::targets::{self, Resolved};
use crate::{parallel, workspace::RunArgs};

/// Looks only: no lock, nothing written, no program run, no key opened.
pub fn run(request: &Request, verbs: Verbs<'_>, progress: Progress<'_>) -> Result<(Plan, Vec<String>), Error> {
    let Resolved { targets, mut warnings } = targets::resolve(&request.trees, request.run.threads)?;
    // A wrong profile is a row, and nothing is judged without it.
    let wrong: Vec<&str> = targets.iter().filter_map(|one| Some(one.profile_error.as_ref()?.what.as_str())).collect();
    warnings.retain(|warning| !wrong.iter().any(|what| warning.starts_with(what)));
    let alone = RunArgs { threads: 1, dry_run: true, ..request.run.clone() };
    let one = |index: usize| {
        signals::check().ok()?;
        Some(cluster::plan(request, &alone, targets.get(index)?, verbs))
    };
    let clusters = parallel::map(targets.len(), request.run.threads, one, |done| progress(done, targets.len()))?;
    signals::check()?;
    Ok((Plan::new(request.run.now, clusters, request.command.clone()), warnings))
}
