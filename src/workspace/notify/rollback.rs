//! The rollback of new files whose deploy hook failed.

use crate::error::Error;
use crate::plan::restore;
use crate::workspace::pending::PendingNotifications;
use crate::workspace::{Locked, TreeDir, generations};
use time::OffsetDateTime;

/// Restores the generation, unless that would put revoked certificates into use again. `left`: what is pending once the old
/// files are back, part of the same transaction: a run that is killed in between is continued from there.
pub fn roll_back(
    tree: &TreeDir,
    now: OffsetDateTime,
    left: &PendingNotifications,
    locked: &Locked<'_>,
) -> Result<(), Error> {
    let (roots, generation) = (&tree.roots, &left.generation);
    let prior = generations::changed(roots, generations::before(roots, generation)?)?;
    let (revoked, _) = generations::revoked(tree, &prior)?;
    if !revoked.is_empty() {
        let revoked = revoked.iter().map(|(path, entry)| restore::revoked(path.as_str(), entry));
        return Err(revoked.fold(Error::new("revoked certificates would be in use again"), Error::because));
    }
    generations::put_back(tree, locked, generation, now, Some(left.change()?)).map(drop)
}
