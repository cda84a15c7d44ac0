//! Reads the journals. No lock, no recovery.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::request::{From, Request, What};
use super::rows::{self, Read};
use crate::clock::rfc3339;
use crate::error::{Error, Exit};
use crate::files;
use crate::parallel;
use crate::report::issued::{Issued, Tree};
use crate::store::{self, Roots};
use crate::workspace::targets::{self, Resolved};
use crate::workspace::{load, recorded};

/// How many lines that cannot be read are named.
const FEW: usize = 5;

/// The report, warnings, and whether all of it could be read.
pub fn run(request: &Request) -> Result<(Issued, Vec<String>, Exit), Error> {
    let since = request.now.checked_sub(request.since.duration()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut warnings = Vec::new();
    let trees = match &request.from {
        From::Tree(dir) => {
            let tree = recorded::tree(dir, None)?;
            warnings.extend(tree.left_by_interrupted()?);
            vec![one(dir, &tree.roots, request.what, since)]
        }
        From::Fleet(args) => {
            let Resolved { targets, warnings: said } = targets::resolve(args, request.threads)?;
            warnings.extend(said);
            let one = |index: usize| targets.get(index).map(|target| of_target(target, request.what, since));
            parallel::map(targets.len(), request.threads, one, |_| ())?.into_iter().flatten().collect()
        }
    };
    let exit = if trees.iter().any(|tree| !tree.unread.is_empty()) { Exit::Partial } else { Exit::Done };
    let mut report = Issued {
        at: rfc3339(request.now),
        since: rfc3339(since),
        revocations: request.what == What::Revocations,
        trees,
        counts: Vec::new(),
    };
    report.count();
    Ok((report, warnings, exit))
}

/// Each tree of a target once: the nodes of a cluster directory share its journal.
fn of_target(target: &targets::Target, what: What, since: OffsetDateTime) -> Vec<Tree> {
    let Some(units) = load::units(target) else { return vec![missing(&target.root)] };
    let is_ours = |root: &Path| files::what(None, &root.join(".kpki")).is_some();
    units.iter().filter(|unit| is_ours(&unit.root)).map(|unit| one(&unit.root, &unit.roots(), what, since)).collect()
}

fn missing(root: &Path) -> Tree {
    let unread = vec!["expected a tree, found none".to_owned()];
    Tree { directory: root.display().to_string(), rows: Vec::new(), unread }
}

fn one(root: &Path, roots: &Roots, what: What, since: OffsetDateTime) -> Tree {
    let journal: PathBuf = root.join(".kpki/journal.jsonl");
    let (read, mut unread) = match store::journal(roots) {
        Ok(lines) => (rows::read(&lines, what, since), Vec::new()),
        Err(why) => (Read::default(), vec![Error::from(why).to_string()]),
    };
    if !read.unreadable.is_empty() {
        let named: Vec<String> = read.unreadable.iter().take(FEW).map(ToString::to_string).collect();
        let rest = match read.unreadable.len().saturating_sub(FEW) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let lines = if read.unreadable.len() == 1 { "line" } else { "lines" };
        let journal = journal.display();
        unread.push(format!(
            "{journal}: {lines} {}{rest}: expected a line of kpki, found another text",
            named.join(", ")
        ));
    }
    let mut rows = read.rows;
    // The newest first.
    rows.reverse();
    Tree { directory: root.display().to_string(), rows, unread }
}
