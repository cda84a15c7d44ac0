//! When an end is near: defaults, how thresholds are read, and from which residual on they hold.

use std::fmt;

use crate::clock::{Span, SpanError};
use crate::inventory::Kind;
use crate::profile::{EXPIRATION, Expiration, Profile, RENEWAL, Window};

/// How near an end may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// This much time is left.
    Left(Span),
    /// This share of the lifetime is left, in percent.
    PercentLeft(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub warning: Threshold,
    pub critical: Threshold,
    pub ca_warning: Threshold,
    pub ca_critical: Threshold,
    /// renewal.before, so that a CA that ends before the leaves' next renewal is pointed out.
    pub renewal: Option<Threshold>,
}

/// A CRL is short-lived by design (30 days by default), so a threshold meant for certificates of a year would hold all its
/// life. Of its life a CRL is never called near its end before these shares are left, in percent.
const CRL_WARNING_SHARE: u8 = 20;
const CRL_CRITICAL_SHARE: u8 = 5;

impl Default for Policy {
    /// 30 and 7 days for certificates, 365 and 180 days for authorities: a new CA takes a while to reach everybody.
    fn default() -> Self {
        Self { renewal: Some(RENEWAL.before.into()), ..Self::of(&EXPIRATION) }
    }
}

impl From<Window> for Threshold {
    fn from(window: Window) -> Self {
        match window {
            Window::Before(span) => Self::Left(span),
            Window::PercentLeft(percent) => Self::PercentLeft(percent),
        }
    }
}

impl Policy {
    fn of(expiration: &Expiration) -> Self {
        Self {
            warning: expiration.warning.into(),
            critical: expiration.critical.into(),
            ca_warning: expiration.ca_warning.into(),
            ca_critical: expiration.ca_critical.into(),
            renewal: None,
        }
    }

    pub fn of_profile(profile: &Profile) -> Self {
        Self { renewal: Some(profile.renewal.before.into()), ..Self::of(&profile.expiration) }
    }

    /// Seconds that must be left at the least for no warning, and for nothing critical.
    pub(super) fn windows(&self, kind: Kind, lifetime: i64) -> (i64, i64) {
        let (warning, critical) = match kind {
            Kind::Authority | Kind::KubeconfigAuthority => (self.ca_warning, self.ca_critical),
            Kind::Certificate | Kind::Kubeconfig | Kind::Secret | Kind::Crl => (self.warning, self.critical),
        };
        let (warning, critical) = (warning.seconds(lifetime), critical.seconds(lifetime));
        match kind {
            Kind::Crl => (
                warning.min(Threshold::PercentLeft(CRL_WARNING_SHARE).seconds(lifetime)),
                critical.min(Threshold::PercentLeft(CRL_CRITICAL_SHARE).seconds(lifetime)),
            ),
            _ => (warning, critical),
        }
    }
}

impl Threshold {
    /// The threshold as seconds before the end of something that lives this long; a share is rounded down.
    pub fn seconds(self, lifetime: i64) -> i64 {
        match self {
            Self::Left(span) => i64::try_from(span.as_seconds()).unwrap_or(i64::MAX),
            Self::PercentLeft(percent) => {
                let share = i128::from(lifetime.max(0)) * i128::from(percent) / 100;
                i64::try_from(share).unwrap_or(i64::MAX)
            }
        }
    }

    /// Reads `30d`, `720h`, `0` (not before the end itself) or `20%`: the share of the lifetime that is left.
    pub fn parse(text: &str) -> Result<Self, ThresholdError> {
        match text.strip_suffix('%') {
            Some(number) => {
                let digits = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
                let percent = digits.then(|| number.parse::<u8>().ok()).flatten().filter(|percent| *percent <= 100);
                percent.map(Self::PercentLeft).ok_or(ThresholdError::Percent)
            }
            None => Ok(Self::Left(Span::parse(text)?)),
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left(span) => span.fmt(f),
            Self::PercentLeft(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Why a text is no [`Threshold`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// Not 0% to 100%.
    #[error("expected a percentage from 0% to 100%")]
    Percent,
    #[error(
        "expected {}a duration such as 30d or 720h, or the share of the lifetime left (20%)",
        if *.0 == SpanError::NoUnit { "a unit: " } else { "" }
    )]
    Span(#[from] SpanError),
}
