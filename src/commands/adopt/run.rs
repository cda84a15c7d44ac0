//! Check the target, read everything, decide, commit, report.

use super::decide::{self, Adoption};
use super::request::Request;
use super::{inputs, summary};
use crate::error::Error;
use crate::files::RelPath;
use crate::report;
use crate::report::adopt::Outcome;
use crate::store::{self, FileChange};
use crate::workspace::{Transaction, journal, survey};

/// Makes the cluster directory. The nodes' files are read, and nothing else is done with them.
pub fn run(request: &Request) -> Result<report::adopt::Adopt, Error> {
    is_new(request)?;
    let adoption = decide::decide(request, inputs::read(&request.inputs))?;
    let changes = changes(&adoption)?;
    let outcome = if request.run.dry_run { Outcome::Planned } else { Outcome::Adopted };
    let report = summary::report(request, &adoption, outcome);
    let places: Vec<_> = changes.iter().map(|change| (change.root, change.path.clone(), false)).collect();
    store::check_writable(&adoption.tree.roots, &places)?;
    if request.run.dry_run {
        return Ok(report);
    }
    let now = request.run.now;
    let line = |(id, certificate): &(_, _)| journal::line("adopt", &ToString::to_string(id), certificate, now);
    let transaction = Transaction {
        changes,
        journal: adoption.assembled.certificates.iter().map(line).collect(),
        entries: Some(adoption.assembled.entries.clone()),
        ..Transaction::default()
    };
    adoption.tree.lock_or_create(request.run.lock_wait)?.commit("adopt", now, transaction)?;
    Ok(report)
}

/// What was adopted must be all that is there.
fn is_new(request: &Request) -> Result<(), Error> {
    let dir = &request.directory;
    store::check_place(dir)?;
    match survey::open(dir)? {
        Some(open) if !open.list()?.is_empty() => {
            Err(Error::new(format!("cannot adopt into {}: it exists and is not empty", dir.display()))
                .hint("give a new directory with --dir"))
        }
        _ => Ok(()),
    }
}

/// Every file as it was on its node, and kpki's own. Nothing is replaced.
fn changes(adoption: &Adoption) -> Result<Vec<FileChange>, Error> {
    let mut changes = Vec::new();
    for file in &adoption.assembled.files {
        changes.push(FileChange {
            root: file.place.root_id(),
            path: RelPath::parse(file.place.path.as_str())?,
            mode: file.mode,
            bytes: file.bytes.clone(),
            replace: false,
        });
    }
    changes.extend(adoption.own_files.iter().map(|file| FileChange { replace: false, ..file.clone() }));
    Ok(changes)
}
