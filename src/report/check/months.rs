//! Calendar months.

use time::{Duration, OffsetDateTime};

/// The beginning of the month that an instant is in, and those of the months after it.
pub fn from(at: OffsetDateTime) -> impl Iterator<Item = OffsetDateTime> {
    std::iter::successors(beginning(at), |start| beginning(start.checked_add(Duration::days(32))?))
}

fn beginning(at: OffsetDateTime) -> Option<OffsetDateTime> {
    at.date().replace_day(1).ok().map(|date| date.midnight().assume_utc())
}

/// `Nov`.
pub fn short(at: OffsetDateTime) -> String {
    at.month().to_string().chars().take(3).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn months_follow_each_other_until_time_ends() {
        let starts: Vec<_> = from(datetime!(2027-12-31 23:59:59 UTC)).take(4).collect();
        assert_eq!(
            starts,
            [
                datetime!(2027-12-01 0:00 UTC),
                datetime!(2028-01-01 0:00 UTC),
                datetime!(2028-02-01 0:00 UTC),
                datetime!(2028-03-01 0:00 UTC)
            ]
        );
        assert_eq!(starts.into_iter().map(short).collect::<Vec<_>>(), ["Dec", "Jan", "Feb", "Mar"]);
        assert_eq!(from(datetime!(9999-11-30 0:00 UTC)).take(9).count(), 2);
    }
}
