//! Several trees: each once; a failure of one does not stop the others.

use crate::error::Error;
use crate::report::renew as report;
use crate::workspace::survey;
use crate::workspace::targets::Target;

/// Removes trees that were named twice.
pub fn distinct(targets: &[Target]) -> Vec<&Target> {
    let mut known = Vec::new();
    let mut distinct = Vec::new();
    for target in targets {
        let facts = survey::open(&target.root).ok().flatten().and_then(|dir| dir.own_facts().ok());
        let identity = facts.map(|facts| (facts.device, facts.inode));
        if identity.is_none() || !known.contains(&identity) {
            known.push(identity);
            distinct.push(target);
        }
    }
    distinct
}

/// The report of a tree whose renewal failed.
pub fn failed_at(directory: String, error: &Error) -> report::Tree {
    report::Tree {
        directory,
        failure: Some(report::Failure { what: error.what.clone(), why: error.why.clone(), hints: error.hints.clone() }),
        ..report::Tree::default()
    }
}

pub fn failed(target: &Target, error: &Error) -> report::Tree {
    report::Tree {
        cluster: target.profile.as_ref().map(|profile| profile.cluster_name.clone()),
        ..failed_at(target.root.display().to_string(), error)
    }
}
