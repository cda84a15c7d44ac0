//! The phases of a directory's rotations: as it records them, or on a node, as the archive said that was unpacked there last.

use std::path::Path;

use super::record;
use crate::error::Error;
use crate::files::RelPath;
use crate::store::{RootId, Roots};
use crate::tree::phases::Phases;
use crate::workspace::shipping::manifest::{self, Manifest};
use crate::workspace::survey;

/// Empty: nothing is being rotated, as far as is known there.
///
/// # Errors
/// A record is there, but is damaged.
pub fn of_directory(dir: &Path) -> Result<Phases, Error> {
    let roots = Roots::alone(dir);
    let recorded = Phases::of(&record::read(&roots)?);
    if !recorded.is_empty() {
        return Ok(recorded);
    }
    let bytes = survey::read(&roots, RootId::Main, &RelPath::parse(manifest::NAME)?)?;
    let manifest = bytes.and_then(|bytes| Manifest::parse(&bytes).ok());
    Ok(manifest.map(|manifest| of_manifest(&manifest)).unwrap_or_default())
}

/// What an archive says of itself.
pub fn of_manifest(manifest: &Manifest) -> Phases {
    let line = manifest.issue.as_ref().and_then(|issue| issue.phase.as_deref());
    line.map(Phases::parse).unwrap_or_default()
}
