//! Which rotations are in progress in a target: its record, or on a node what its archive said.

use crate::audit::Rotations;
use crate::plan::rotate::unmoved;
use crate::workspace::rotation::{phases, record};
use crate::workspace::targets::Target;

/// `Err`: a warning. Nothing is judged by a record that cannot be read.
pub fn of(target: &Target) -> Result<Option<Rotations>, String> {
    let record = record::read(&target.roots(&target.root)).map_err(|why| why.to_string())?;
    if !record.rotations.is_empty() {
        return Ok(Some(Rotations::Recorded(record)));
    }
    let said = phases::of_directory(&target.root).map_err(|why| why.to_string())?;
    Ok((!said.is_empty()).then_some(Rotations::Said(said)))
}

/// What a profile is to say after a rotation, and does not yet.
pub fn remarks(target: &Target) -> Vec<String> {
    let record = record::read(&target.roots(&target.root)).ok();
    let lines = target.profile.as_ref().zip(record).map(|(profile, record)| unmoved(profile, &record));
    let root = target.root.display();
    lines.into_iter().flatten().map(|(_, lines)| format!("{root}: {lines}")).collect()
}
