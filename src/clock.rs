//! What time it is, and how long things last. The only room that reads the system clock; all others get the instant.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Where "now" comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    System,
    /// `--at`, and tests.
    Fixed(OffsetDateTime),
}

impl Clock {
    /// Now in UTC, whole seconds: X.509 knows nothing finer.
    pub fn now(self) -> OffsetDateTime {
        match self {
            #[allow(clippy::disallowed_methods)] // this is the room
            Self::System => whole_seconds(OffsetDateTime::now_utc()),
            Self::Fixed(at) => whole_seconds(at),
        }
    }

    /// Sleeps until then, but no longer than this by the clock: one that was set back makes nobody wait for years. In short pieces,
    /// because it may also be set forward, and a machine may sleep itself. A signal ends the process meanwhile.
    pub fn wait(self, until: OffsetDateTime, longest: Span) {
        const PIECE: Duration = Duration::seconds(30);
        loop {
            let left = until - self.now();
            if !left.is_positive() || left > longest.duration() {
                return;
            }
            std::thread::sleep(left.min(PIECE).unsigned_abs());
        }
    }
}

/// When the next of a row of runs begins, of which there is one `every` so long. The name decides where in that time: nodes that were
/// started together do not run together, and one that is started again keeps its time.
pub fn next_run(now: OffsetDateTime, every: Span, name: &str) -> OffsetDateTime {
    let length = i64::try_from(every.as_seconds().max(1)).unwrap_or(i64::MAX);
    let place = i64::try_from(spread(name) % length.unsigned_abs()).unwrap_or_default();
    let since = (now.unix_timestamp() - place).rem_euclid(length);
    now + Duration::seconds(length - since)
}

/// A number that looks nothing like that of another name: FNV-1a, and what MurmurHash3 does at its end.
fn spread(name: &str) -> u64 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// The years in which a certificate can begin and its CA still end before 9999 (RFC 5280 section 4.1.2.5).
pub const YEARS: std::ops::RangeInclusive<i32> = 1970..=8900;

/// The year of this release. A machine's clock that says an earlier one was never set.
pub const RELEASED: i32 = 2026;

/// Whether a machine's clock can be right.
pub fn is_plausible(now: OffsetDateTime) -> bool {
    (RELEASED..=*YEARS.end()).contains(&now.year())
}

/// How far clocks may differ: an instant that is further ahead of this machine's is in the future.
pub const CLOCK_SKEW: Span = Span::seconds(5 * 60);

fn whole_seconds(at: OffsetDateTime) -> OffsetDateTime {
    let at = at.to_offset(UtcOffset::UTC);
    at.replace_nanosecond(0).unwrap_or(at)
}

/// An instant as RFC 3339 in UTC, `2027-01-02T03:04:05Z`.
pub fn rfc3339(at: OffsetDateTime) -> String {
    let at = whole_seconds(at);
    at.format(&Rfc3339).unwrap_or_else(|_| at.unix_timestamp().to_string())
}

/// Reads an RFC 3339 instant (any offset), a date (`2027-01-02`, midnight UTC), or `+90d` / `-1h` relative to `now`.
pub fn parse_instant(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let span = |text| Some(Span::parse(text).ok()?.duration());
    match text.split_at_checked(1) {
        Some(("+", text)) => return now.checked_add(span(text)?),
        Some(("-", text)) => return now.checked_sub(span(text)?),
        _ => {}
    }
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    OffsetDateTime::parse(&whole, &Rfc3339).ok().map(whole_seconds)
}

/// A length of time in whole seconds, never negative: a validity period, a window, a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span(u64);

/// Why a text is not a [`Span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    #[error("it is empty")]
    Empty,
    /// Not a sequence of numbers with units.
    #[error("it is not a sequence of numbers with units")]
    Malformed,
    /// A number without a unit: days or seconds may be meant.
    #[error("a number without a unit")]
    NoUnit,
    #[error("unknown unit {0:?}")]
    UnknownUnit(char),
    /// Below zero, or more than a thousand years.
    #[error("below zero or more than 1000 years")]
    OutOfRange,
    /// Finer than a second.
    #[error("finer than a second")]
    Fraction,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
const LONGEST: u64 = 1000 * YEAR;

const SECOND_NANOS: u128 = 1_000_000_000;
/// In nanoseconds.
const UNITS: [(&str, u128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND_NANOS),
    ("m", MINUTE as u128 * SECOND_NANOS),
    ("h", HOUR as u128 * SECOND_NANOS),
    ("d", DAY as u128 * SECOND_NANOS),
    ("w", 7 * DAY as u128 * SECOND_NANOS),
    ("y", YEAR as u128 * SECOND_NANOS),
];

impl Span {
    pub const fn seconds(seconds: u64) -> Self {
        Self(if seconds > LONGEST { LONGEST } else { seconds })
    }

    pub const fn hours(hours: u64) -> Self {
        Self::seconds(hours.saturating_mul(HOUR))
    }

    pub const fn days(days: u64) -> Self {
        Self::seconds(days.saturating_mul(DAY))
    }

    pub const fn as_seconds(self) -> u64 {
        self.0
    }

    pub fn duration(self) -> Duration {
        Duration::seconds(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// Reads a Go duration (`8760h`, `1h30m`, `1.5h`) and the units people miss there: `d` (24 hours), `w` (7 days) and `y`
    /// (365 days), in any combination: `1y30d`. `0` needs no unit, as in Go.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        if text.is_empty() {
            return Err(SpanError::Empty);
        }
        if text == "0" {
            return Ok(Self(0));
        }
        if text.starts_with('-') {
            return Err(SpanError::OutOfRange);
        }
        let mut rest = text;
        let mut nanos: u128 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at_checked(digits).ok_or(SpanError::Malformed)?;
            if number.is_empty() {
                return Err(SpanError::Malformed);
            }
            let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
            let (unit, next) = tail.split_at_checked(end).ok_or(SpanError::Malformed)?;
            let known = UNITS.iter().find(|(name, _)| *name == unit);
            let (_, unit_nanos) =
                known.ok_or_else(|| unit.chars().next().map_or(SpanError::NoUnit, SpanError::UnknownUnit))?;
            nanos = nanos.checked_add(amount(number, *unit_nanos)?).ok_or(SpanError::OutOfRange)?;
            rest = next;
        }
        if !nanos.is_multiple_of(SECOND_NANOS) {
            return Err(SpanError::Fraction);
        }
        u64::try_from(nanos / SECOND_NANOS)
            .ok()
            .filter(|seconds| *seconds <= LONGEST)
            .map(Self)
            .ok_or(SpanError::OutOfRange)
    }
}

/// `1.5` of a unit, exactly; the number has digits and at most one point.
fn amount(number: &str, unit_nanos: u128) -> Result<u128, SpanError> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return Err(SpanError::Malformed);
    }
    if whole.len() > 18 || fraction.len() > 9 {
        return Err(SpanError::OutOfRange);
    }
    let read = |digits: &str| if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| SpanError::Malformed) };
    let (whole, tenths): (u128, u128) = (read(whole)?, read(fraction)?);
    let scale = 10u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    whole
        .checked_mul(unit_nanos)
        .and_then(|n| n.checked_add(tenths.checked_mul(unit_nanos)? / scale))
        .ok_or(SpanError::OutOfRange)
}

/// Whole days as `90d`, everything else as Go prints it: `8760h0m0s`, `1m30s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0;
        if s > 0 && s.is_multiple_of(DAY) {
            write!(f, "{}d", s / DAY)
        } else if s >= HOUR {
            write!(f, "{}h{}m{}s", s / HOUR, s % HOUR / MINUTE, s % MINUTE)
        } else if s >= MINUTE {
            write!(f, "{}m{}s", s / MINUTE, s % MINUTE)
        } else {
            write!(f, "{s}s")
        }
    }
}

/// How far away an instant is, for people: `in 364d`, `2h ago`.
pub fn distance(from: OffsetDateTime, to: OffsetDateTime) -> String {
    let between = to - from;
    let text = length(between);
    if between.whole_seconds() < 0 { format!("{text} ago") } else { format!("in {text}") }
}

/// A length of time without its sign, in the largest unit that fits, as kubeadm's residual time.
pub fn length(duration: Duration) -> String {
    match duration.whole_seconds().unsigned_abs() {
        s if s >= 8 * YEAR => format!("{}y", s / YEAR),
        s if s >= 2 * YEAR && s % YEAR >= DAY => format!("{}y{}d", s / YEAR, s % YEAR / DAY),
        s if s >= 2 * YEAR => format!("{}y", s / YEAR),
        s if s >= 2 * DAY => format!("{}d", s / DAY),
        s if s >= 3 * HOUR => format!("{}h", s / HOUR),
        s if s >= 2 * MINUTE => format!("{}m", s / MINUTE),
        s => format!("{s}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn spans_read_go_and_calendar_units() {
        for (text, seconds) in [
            ("8760h", 31_536_000),
            ("8760h0m0s", 31_536_000),
            ("1y", 31_536_000),
            ("90d", 7_776_000),
            ("2w", 1_209_600),
            ("1y30d", 34_128_000),
            ("1.5h", 5_400),
            ("1h30m", 5_400),
            ("90s", 90),
            ("1000ms", 1),
            ("0", 0),
            ("0s", 0),
            (".5m", 30),
        ] {
            assert_eq!(Span::parse(text), Ok(Span(seconds)), "{text}");
        }
    }

    #[test]
    fn spans_refuse_what_is_unclear() {
        for (text, error) in [
            ("", SpanError::Empty),
            ("90", SpanError::NoUnit),
            ("d", SpanError::Malformed),
            ("1x", SpanError::UnknownUnit('x')),
            ("1 d", SpanError::UnknownUnit(' ')),
            ("-1h", SpanError::OutOfRange),
            ("1.2.3h", SpanError::Malformed),
            (".h", SpanError::Malformed),
            ("1ms", SpanError::Fraction),
            ("0.3s", SpanError::Fraction),
            ("99999999999999999999999h", SpanError::OutOfRange),
            ("1001y", SpanError::OutOfRange),
        ] {
            assert_eq!(Span::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_span_reads_back_what_it_prints() {
        for seconds in [0, 1, 59, 60, 61, 3599, 3600, 5400, 86_400, 86_401, 31_536_000] {
            let span = Span(seconds);
            assert_eq!(Span::parse(&span.to_string()), Ok(span), "{span}");
        }
    }

    #[test]
    fn instants_are_absolute_or_relative() {
        let now = datetime!(2026-11-20 12:00 UTC);
        for (text, expected) in [
            ("2027-01-02", Some(datetime!(2027-01-02 0:00 UTC))),
            ("2027-01-02T03:04:05Z", Some(datetime!(2027-01-02 03:04:05 UTC))),
            ("2027-01-02T03:04:05.9+01:00", Some(datetime!(2027-01-02 02:04:05 UTC))),
            ("+90d", Some(datetime!(2027-02-18 12:00 UTC))),
            ("-1h", Some(datetime!(2026-11-20 11:00 UTC))),
            ("tomorrow", None),
            ("+", None),
            ("2027-13-02", None),
        ] {
            assert_eq!(parse_instant(text, now), expected, "{text}");
        }
    }

    #[test]
    fn distances_use_the_largest_unit() {
        let now = datetime!(2026-11-20 12:00 UTC);
        for (seconds, text) in [(30, "in 30s"), (-300, "5m ago"), (4 * 3600, "in 4h"), (364 * 86_400, "in 364d")] {
            assert_eq!(distance(now, now + Duration::seconds(seconds)), text);
        }
        assert_eq!(distance(now, now + Duration::days(3650)), "in 10y");
        assert_eq!(distance(now, now + Duration::days(1095)), "in 3y");
    }

    #[test]
    fn runs_come_at_a_time_of_their_name() {
        let midnight = datetime!(2026-11-20 0:00 UTC);
        let day = Span::days(1);
        let first = next_run(midnight, day, "cp1");
        assert!(first > midnight && first <= midnight + day.duration(), "{first}");
        // The same whenever it is asked before it comes, and a day later from then on.
        assert_eq!(next_run(first - Duration::seconds(1), day, "cp1"), first);
        assert_eq!(next_run(first, day, "cp1"), first + day.duration());
        assert_eq!(next_run(first + Duration::hours(3), day, "cp1"), first + day.duration());
        for second in 0..3 {
            let now = midnight + Duration::seconds(second);
            assert_eq!(next_run(now, Span::seconds(1), "cp1"), now + Duration::seconds(1));
        }
        // Names as they are used: no two within a minute of twelve hours.
        let names = [
            "cp1",
            "cp2",
            "cp3",
            "cp4",
            "cp5",
            "master-0",
            "master-1",
            "master-2",
            "a.example.com",
            "b.example.com",
            "",
        ];
        let mut starts: Vec<i64> =
            names.iter().map(|name| next_run(midnight, Span::hours(12), name).unix_timestamp()).collect();
        starts.sort_unstable();
        assert!(starts.windows(2).all(|pair| matches!(pair, [one, next] if next - one >= 60)), "{starts:?}");
    }

    #[test]
    fn nobody_waits_for_what_is_past_or_too_far_ahead() {
        let now = datetime!(2026-11-20 12:00 UTC);
        for (until, longest) in [(now, 60), (now - Duration::days(400), 60), (now + Duration::days(400), 60)] {
            Clock::Fixed(now).wait(until, Span::seconds(longest));
        }
    }
}
