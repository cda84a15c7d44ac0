//! How near an end may come: a time, or a share of the lifetime. Of profiles and of the command line.

use std::fmt;

use time::OffsetDateTime;

use crate::clock::{Span, SpanError};

/// How near an end may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// This much time is left.
    Left(Span),
    /// This share of the lifetime is left, in percent.
    PercentLeft(u8),
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

/// How old a certificate may become before it is due, counted from its notBefore (which kpki dates back by five minutes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxAge(pub Span);

impl MaxAge {
    /// Shorter ones would make much of what a scheduled run has just made due at the next.
    pub const SHORTEST: Span = Span::hours(1);

    /// When a certificate is as old; `None`: never, in years that have a date.
    pub fn since(self, not_before: OffsetDateTime) -> Option<OffsetDateTime> {
        not_before.checked_add(self.0.duration())
    }

    pub fn is_reached(self, not_before: OffsetDateTime, now: OffsetDateTime) -> bool {
        self.since(not_before).is_some_and(|since| since <= now)
    }

    /// It should have been renewed: a tenth more has passed.
    pub fn is_overdue(self, not_before: OffsetDateTime, now: OffsetDateTime) -> bool {
        let grace = Span::seconds(self.0.as_seconds() / 10).duration();
        now.checked_sub(grace).is_some_and(|then| self.is_reached(not_before, then))
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
