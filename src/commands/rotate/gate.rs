//! Whether a step may be done now: every node has the present phase in force, the wait is over, and nothing of the old authority is
//! left that the step would break.

use super::context::{Context, Planned};
use crate::error::Error;
use crate::tree::rotation::Rotation;

/// What the command line passes over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passing {
    /// Every node has the present phase in force.
    pub confirm_all: bool,
    /// The wait is not over, or certificates of the old authority are still valid.
    pub not_before: bool,
}

/// Refuses, or notes in the record what was passed over.
pub(super) fn check(
    _context: &Context<'_>,
    _rotations: &mut [Rotation],
    _passing: Passing,
    _planned: &mut Planned,
) -> Result<(), Error> {
    Ok(())
}
