//! How long each phase has to last at the least.

use time::Duration;

use crate::profile::Profile;

/// From the preparation to the switch, and from the switch to the retirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    pub before_switch: Duration,
    pub before_retire: Duration,
}

impl Waits {
    pub const DEFAULT: Self = Self { before_switch: Duration::hours(1), before_retire: Duration::hours(24) };

    pub const fn of(_profile: Option<&Profile>) -> Self {
        Self::DEFAULT
    }

    /// Both.
    pub fn whole(self) -> Duration {
        self.before_switch + self.before_retire
    }
}
