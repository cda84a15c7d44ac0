//! The rollback of new files whose deploy hook failed.

use crate::error::Error;
use crate::plan::restore;
use crate::store::{self, RootId, Roots};
use crate::tree::Origin;
use crate::workspace::pending::PendingNotifications;
use crate::workspace::{Locked, TreeDir, generations};
use time::OffsetDateTime;

/// The generation that a rollback may undo: that of this run, `own`, or of the one interrupted run that this one only goes on
/// with, if nothing was done since. A generation that replaced nothing is never undone: it is a first install, and nothing
/// would be left.
pub fn undoable(roots: &Roots, pending: &PendingNotifications, own: Option<&str>) -> Result<Option<String>, Error> {
    let all = store::generations(roots)?;
    let wanted = own.unwrap_or(&pending.generation);
    let found = all.first().filter(|newest| newest.name == wanted);
    let replaces = |one: &&store::Generation| one.kept.iter().any(|(root, _)| *root != RootId::State);
    Ok(found.filter(replaces).map(|one| one.name.clone()))
}

/// The generation is of a step of a rotation. Files alone do not take that back: kpki's record and the keys in its state move with
/// them.
pub fn is_step(generation: &str) -> bool {
    generation.split_once('-').is_some_and(|(_, verb)| verb.starts_with("rotate-"))
}

/// A warning with what takes it back.
pub fn step_stays(tree: &TreeDir) -> String {
    let back = tree.origin().command("rotate back", &[""; 0], &[]);
    format!(
        "onHookFailure: restore does not take back a step of a rotation: the new files stay, and the next run repeats the \
         notifications; fix the cause, or take one step back: {back}"
    )
}

/// Restores the generation, unless that would put revoked certificates into use again. `left`: what is pending once the old
/// files are back, part of the same transaction: a run that is killed in between is continued from there.
pub fn roll_back(
    tree: &TreeDir,
    now: OffsetDateTime,
    generation: &str,
    left: &PendingNotifications,
    locked: &Locked<'_>,
) -> Result<(), Error> {
    let roots = &tree.roots;
    let prior = generations::changed(roots, generations::before(roots, generation)?)?;
    let (revoked, _) = generations::revoked(tree, &prior)?;
    if !revoked.is_empty() {
        let revoked = revoked.iter().map(|(path, entry)| restore::revoked(path.as_str(), entry));
        return Err(revoked.fold(Error::new("revoked certificates would be in use again"), Error::because));
    }
    generations::put_back(tree, locked, generation, now, Some(left.change()?)).map(drop)
}

/// A warning with the command that does it.
pub fn not_restored(tree: &TreeDir, generation: &str, error: &Error) -> String {
    let why = std::iter::once(&error.what).chain(&error.why).cloned().collect::<Vec<_>>().join(": ");
    let origin: Origin = tree.origin();
    format!("the old certificates were not restored: {why}; try: {}", origin.command("restore", &[generation], &[]))
}
