//! How long each phase has to last at the least.

use time::Duration;

use crate::profile::{Profile, WAITS};

/// From the preparation to the switch, and from the switch to the retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    pub before_switch: Duration,
    pub before_retire: Duration,
}

impl Waits {
    /// What the profile says, or else the defaults.
    pub fn of(profile: Option<&Profile>) -> Self {
        let stated = profile.map_or(WAITS, |profile| profile.rotation);
        Self { before_switch: stated.before_switch.duration(), before_retire: stated.before_retire.duration() }
    }

    /// Both.
    pub fn whole(self) -> Duration {
        self.before_switch + self.before_retire
    }
}
