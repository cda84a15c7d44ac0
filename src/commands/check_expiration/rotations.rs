//! Which rotations are in progress in a target: its record, or on a node what its archive said.

use crate::audit::Rotations;
use crate::plan::rotate::unmoved;
use crate::workspace::rotation::{phases, record};
use crate::workspace::targets::Target;

/// The rotations, and what the profile is to say after one and does not yet. `Err`: a warning. Nothing is judged by a record that
/// cannot be read.
pub fn of(target: &Target) -> (Result<Option<Rotations>, String>, Vec<String>) {
    let record = match record::read(&target.roots(&target.root)) {
        Ok(record) => record,
        Err(why) => return (Err(why.to_string()), Vec::new()),
    };
    let root = target.root.display();
    let lines = target.profile.iter().flat_map(|profile| unmoved(profile, &record));
    let remarks = lines.map(|(_, lines)| format!("{root}: {lines}")).collect();
    if !record.rotations.is_empty() {
        return (Ok(Some(Rotations::Recorded(record))), remarks);
    }
    let said = phases::of_directory(&target.root).map_err(|why| why.to_string());
    (said.map(|said| (!said.is_empty()).then_some(Rotations::Said(said))), remarks)
}
