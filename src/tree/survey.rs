//! What is at each place of a tree.

use std::collections::BTreeMap;

use crate::files::FileState;
use crate::tree::layout::Place;

/// Every place that was looked at.
pub type Survey = BTreeMap<Place, FileState>;

/// The bytes at a place; `None`: nothing is there, or it was not looked at.
pub fn file<'a>(survey: &'a Survey, place: Option<&Place>) -> Option<&'a [u8]> {
    match place.and_then(|place| survey.get(place)) {
        Some(FileState::File { bytes, .. }) => Some(bytes.as_slice()),
        Some(FileState::Missing) | None => None,
    }
}
