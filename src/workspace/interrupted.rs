//! What interrupted runs left to do in a tree, for verbs that may not do it or that only read.

use std::fmt;
use std::time::Duration;

use crate::error::Error;
use crate::files;
use crate::store::{self, Recovery, Roots, StoreError};
use crate::workspace::pending::PendingNotifications;

/// How long a run that only reads waits for another run's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// One thing that an interrupted run left.
#[derive(Debug)]
pub enum Interrupted {
    /// It was committed, and this run put the rest of its files in place.
    Completed { generation: String },
    /// It was committed, and its files are not all in place; why this run did not complete it.
    Unfinished(Option<StoreError>),
    /// It was completed but for files outside the tree, which are kept; this is said once.
    Undelivered(StoreError),
    /// Entries that were renewed, and whose components have not been notified.
    Unnotified(Vec<String>),
}

/// Looks only.
pub fn look(roots: &Roots) -> Result<Vec<Interrupted>, Error> {
    let unfinished = store::pending(roots)?.then_some(Interrupted::Unfinished(None));
    Ok(unfinished.into_iter().chain(unnotified(roots)?).collect())
}

/// Completes a run that was committed, if this process may, and looks. A tree that cannot be opened has nothing to complete:
/// whoever reads it says why.
pub fn complete(roots: &Roots) -> Vec<Interrupted> {
    let pending = match store::pending(roots) {
        // Nothing is read from a state directory that others could have written, but that a run waits there is said.
        Err(why) if files::what(None, &roots.main.join(".kpki/commit")).is_some() => {
            return vec![Interrupted::Unfinished(Some(why))];
        }
        pending => pending.unwrap_or(false),
    };
    let completed = match pending.then(|| store::recover(roots, PATIENCE)) {
        Some(Ok(Recovery::Finished { generation, .. })) => Some(Interrupted::Completed { generation }),
        Some(Err(why @ StoreError::Undelivered(..))) => Some(Interrupted::Undelivered(why)),
        Some(Err(why)) => Some(Interrupted::Unfinished(Some(why))),
        // Another run completed it meanwhile.
        Some(Ok(Recovery::Nothing | Recovery::Discarded)) | None => None,
    };
    completed.into_iter().chain(unnotified(roots).ok().flatten()).collect()
}

fn unnotified(roots: &Roots) -> Result<Option<Interrupted>, Error> {
    let pending = PendingNotifications::read(roots)?;
    Ok((!pending.is_empty()).then_some(Interrupted::Unnotified(pending.entries)))
}

impl Interrupted {
    /// Somebody has to act.
    pub const fn is_open(&self) -> bool {
        !matches!(self, Self::Completed { .. })
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed { generation } => write!(f, "the interrupted run {generation} was completed just now"),
            Self::Undelivered(why) => write!(f, "an interrupted run was completed just now: {why}"),
            Self::Unfinished(why) => {
                f.write_str("an interrupted run is not finished: the files are partly old and partly new; ")?;
                match why {
                    Some(why) => write!(f, "it could not be completed: {why}"),
                    None => f.write_str("any run that may write completes it"),
                }
            }
            Self::Unnotified(entries) => write!(
                f,
                "an interrupted run renewed {}; the next kpki renew reports what must be restarted and runs the deploy hooks",
                entries.join(", ")
            ),
        }
    }
}
