//! What the switch to a new authority, whose key is elsewhere, still waits for.

use crate::catalog::CaId;
use crate::error::Error;
use crate::tree::EntryId;
use crate::workspace::Session;
use crate::workspace::importing::Placed;
use crate::workspace::rotation::ahead;

/// One line for each new authority that signed one of these: what is missing, or how to go on.
pub fn left(session: &Session<'_>, placed: &[Placed]) -> Result<Vec<String>, Error> {
    let origin = &session.target.origin;
    let mut left = Vec::new();
    for authority in CaId::ALL.into_iter().filter(|one| placed.iter().any(|placed| placed.waits == Some(*one))) {
        let is_here = |id: &EntryId| placed.iter().any(|one| one.waits.is_some() && one.entry.id == *id);
        let asked = ahead::asked(session, authority)?;
        let missing: Vec<String> =
            asked.iter().filter(|one| !one.is_signed && !is_here(&one.id)).map(|one| one.id.to_string()).collect();
        let switch = origin.command("rotate switch", &[authority.name()], &[]);
        left.push(match missing.len() {
            0 => format!("everything that the new {} has to sign is here; put it in place: {switch}", authority.name()),
            some => format!(
                "missing: {some} of {} certificates of the new {}: {}; for each: {}",
                asked.len(),
                authority.name(),
                missing.join(", "),
                origin.command("import", &["CERT"], &[])
            ),
        });
    }
    Ok(left)
}
