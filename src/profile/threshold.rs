//! How near an end may come: a time, or a share of the lifetime. Of profiles and of the command line.

use std::fmt;

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
