//! The rollback of a renewal whose deploy hook failed.

use crate::error::Error;
use crate::plan::restore;
use crate::workspace::pending::PendingNotifications;
use crate::workspace::{Locked, Session, generations};

/// Restores the generation, unless that would put revoked certificates into use again. `left`: what is pending once the old
/// files are back, part of the same transaction: a run that is killed in between is continued from there.
pub fn roll_back(session: &Session<'_>, left: &PendingNotifications, locked: &Locked<'_>) -> Result<(), Error> {
    let (roots, generation) = (&session.tree.roots, &left.generation);
    let prior = generations::changed(roots, generations::before(roots, generation)?)?;
    let (revoked, _) = generations::revoked(&session.tree, &prior)?;
    if !revoked.is_empty() {
        let revoked = revoked.iter().map(|(path, entry)| restore::revoked(path.as_str(), entry));
        return Err(revoked.fold(Error::new("revoked certificates would be in use again"), Error::because));
    }
    generations::put_back(&session.tree, locked, generation, session.run.now, Some(left.change()?)).map(drop)
}
