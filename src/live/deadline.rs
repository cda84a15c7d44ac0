//! One instant for everything that is done with one peer.

use std::time::{Duration, Instant};

use super::failure::Failure;

/// When there is no more time for a peer.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// `time` from now; one that no clock can tell is none.
    pub fn after(time: Duration) -> Self {
        Self(Instant::now().checked_add(time))
    }

    /// What remains, never zero: sockets take that for no limit.
    pub fn remaining(self) -> Result<Duration, Failure> {
        let Some(end) = self.0 else { return Ok(Duration::MAX) };
        end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()).ok_or(Failure::TooSlow)
    }

    /// The same, shared among so many tries.
    pub fn share(self, tries: usize) -> Result<Duration, Failure> {
        let tries = u32::try_from(tries).unwrap_or(u32::MAX).max(1);
        self.remaining().map(|left| (left / tries).max(Duration::from_millis(1)))
    }
}
