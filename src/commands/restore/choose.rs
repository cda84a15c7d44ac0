//! The choice of the generation to restore.

use super::request::{Request, none};
use crate::error::Error;
use crate::report::counted;
use crate::store::{self, Generation, Roots};

/// The generation that was named, or the newest.
pub fn choose(request: &Request, roots: &Roots) -> Result<String, Error> {
    let (all, origin) = (store::generations(roots)?, request.origin());
    let name = match &request.generation {
        None => newest(request, &all)?,
        Some(name) if all.iter().any(|one| one.name == *name) => name.clone(),
        Some(name) => {
            return Err(Error::usage(format!("there is no generation {name:?}"))
                .hint(format!("list them with: {}", origin.command("history", &[""; 0], &[]))));
        }
    };
    in_order(request, &all, &name)?;
    Ok(name)
}

/// Without its record the time of a generation is unknown: files of earlier ones would be taken for newer, and removed.
fn in_order(request: &Request, all: &[Generation], name: &str) -> Result<(), Error> {
    let unplaced = |one: &&Generation| {
        let stamped = one.name.starts_with(|first: char| first.is_ascii_digit());
        let after_another = all.iter().any(|other| other.recorded && other.name < one.name);
        stamped && !one.recorded && after_another && *one.name >= *name
    };
    match all.iter().find(unplaced) {
        None => Ok(()),
        Some(damaged) => Err(Error::new(format!("the state of the tree before {name} is unknown"))
            .because(format!("the record of {} is missing or damaged", damaged.name))
            .hint(format!(
                "see {}/.kpki/generations/{}: it has the replaced files unchanged",
                request.dir.display(),
                damaged.name
            ))),
    }
}

/// Never one that only created files, such as the first `init`: nothing would be left.
fn newest(request: &Request, all: &[Generation]) -> Result<String, Error> {
    // CRLs are not restored: one that replaced nothing else is not what is meant.
    let newest = all.iter().find(|one| !one.is_of_crls()).or(all.first()).ok_or_else(|| none(&request.dir))?;
    in_order(request, all, &newest.name)?;
    let origin = request.origin();
    if newest.kept.is_empty() && !newest.created.is_empty() {
        return Err(Error::new(format!("the newest generation {} replaced nothing", newest.name))
            .because(format!("restoring would only remove what it created: {}", counted(newest.created.len(), "file")))
            .hint(format!("if that is intended: {}", origin.command("restore", &[&newest.name], &[]))));
    }
    Ok(newest.name.clone())
}
