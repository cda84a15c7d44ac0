//! Which files of a step the programs have to read again: for its instructions, and for what a node has to show afterwards.

use crate::tree::rotation::{Phase, Rotating};

/// A phase began with a switch: the bundles hold what they held, in another order. `restored`: it was retired, and a step back has
/// put an authority into the bundles again.
pub fn is_reordered(phase: Phase, restored: bool) -> bool {
    phase == Phase::Switched && !restored
}

/// Whether what is in the file of an entry is new to a program. `is_reordered`: of the step. `is_made`: its certificate is.
pub fn is_read_again(entry: &str, is_reordered: bool, is_made: bool) -> bool {
    // The first key of sa.pub is the one whose half signs.
    !is_reordered || is_made || entry == Rotating::ServiceAccount.name()
}
