//! When an end is near: the thresholds of a check, and from which residual on they hold.

use crate::blueprint::BACK_DATE;
use crate::catalog::releases::KnownRelease;
use crate::inventory::Kind;
use crate::profile::{EXPIRATION, Expiration, MaxAge, Profile, RENEWAL, Threshold};

/// A threshold, and whether it holds for certificates of any lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub threshold: Threshold,
    /// It was typed for this run and holds as it is. That of a profile or of the defaults is meant for certificates of a
    /// usual lifetime, and a shorter one caps it.
    pub is_typed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub warning: Limit,
    pub critical: Limit,
    pub ca_warning: Limit,
    pub ca_critical: Limit,
    /// renewal.before, so that a CA that ends before the leaves' next renewal is pointed out, and nothing is critical that
    /// is not due.
    pub renewal: Option<Threshold>,
    /// renewal.maxAge.
    pub max_age: Option<MaxAge>,
    /// Whose components read the files.
    pub kubernetes: KnownRelease,
}

/// A CRL is short-lived by design (30 days by default), so a threshold meant for certificates of a year would hold all its
/// life. Of its life a CRL is never called near its end before these shares are left, in percent.
const CRL_WARNING_SHARE: u8 = 20;
const CRL_CRITICAL_SHARE: u8 = 5;

/// Of its life a certificate is not near its end before a third is left, as renewal.before has it unless it is set, and not
/// critical before half of that is. One that lives for hours would be both from its first second on.
const WARNING_SHARE: u8 = 33;
const CRITICAL_SHARE: u8 = 16;

impl Default for Policy {
    /// 30 and 7 days for certificates, 365 and 180 days for authorities: a new CA takes a while to reach everybody.
    fn default() -> Self {
        Self { renewal: Some(RENEWAL.before), ..Self::of(&EXPIRATION) }
    }
}

impl Policy {
    fn of(expiration: &Expiration) -> Self {
        Self {
            warning: Limit::capped(expiration.warning),
            critical: Limit::capped(expiration.critical),
            ca_warning: Limit::capped(expiration.ca_warning),
            ca_critical: Limit::capped(expiration.ca_critical),
            renewal: None,
            max_age: None,
            kubernetes: KnownRelease::default(),
        }
    }

    pub fn of_profile(profile: &Profile) -> Self {
        let (renewal, kubernetes) = (Some(profile.renewal.before), profile.release());
        Self { renewal, kubernetes, max_age: profile.renewal.max_age, ..Self::of(&profile.expiration) }
    }

    /// Seconds that must be left at the least for no warning, and for nothing critical.
    pub fn windows(&self, kind: Kind, lifetime: i64) -> (i64, i64) {
        let (warning, critical) = match kind {
            Kind::Authority | Kind::KubeconfigAuthority => (self.ca_warning, self.ca_critical),
            Kind::Certificate | Kind::Kubeconfig | Kind::Secret | Kind::Crl => (self.warning, self.critical),
        };
        let share = |percent, of| Threshold::PercentLeft(percent).seconds(of);
        if kind == Kind::Crl {
            let seconds = |limit: Limit| limit.threshold.seconds(lifetime);
            return (
                seconds(warning).min(share(CRL_WARNING_SHARE, lifetime)),
                seconds(critical).min(share(CRL_CRITICAL_SHARE, lifetime)),
            );
        }
        // What was over when it was made is no part of it.
        let life = lifetime.saturating_sub(BACK_DATE.whole_seconds());
        let due = match kind {
            Kind::Certificate | Kind::Kubeconfig => self.due(life),
            _ => None,
        };
        let critical_cap = share(CRITICAL_SHARE, life).min(due.unwrap_or(i64::MAX));
        (warning.seconds(lifetime, share(WARNING_SHARE, life)), critical.seconds(lifetime, critical_cap))
    }

    /// Seconds before its end from which on `kpki renew --due` takes what lives this long; `None`: it waits for the end.
    fn due(&self, life: i64) -> Option<i64> {
        self.renewal.map(|before| before.seconds(life)).filter(|seconds| *seconds > 0)
    }
}

impl Limit {
    pub const fn capped(threshold: Threshold) -> Self {
        Self { threshold, is_typed: false }
    }

    pub const fn typed(threshold: Threshold) -> Self {
        Self { threshold, is_typed: true }
    }

    fn seconds(self, lifetime: i64, cap: i64) -> i64 {
        let seconds = self.threshold.seconds(lifetime);
        if self.is_typed { seconds } else { seconds.min(cap) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Span;

    const DAY: i64 = 86_400;
    const YEAR: i64 = 365 * DAY;
    const KINDS: [Kind; 6] =
        [Kind::Certificate, Kind::Kubeconfig, Kind::Secret, Kind::Authority, Kind::KubeconfigAuthority, Kind::Crl];

    fn policies() -> Vec<Policy> {
        let thresholds = ["0", "1s", "2h", "7d", "30d", "365d", "1000y", "1%", "16%", "33%", "50%", "100%"];
        let read = |text: &str| Threshold::parse(text).unwrap();
        let mut all = vec![Policy::default()];
        for before in thresholds {
            for said in thresholds {
                let limit = Limit::capped(read(said));
                let (warning, critical, ca_warning, ca_critical) = (limit, limit, limit, limit);
                let renewal = Some(read(before));
                all.push(Policy { warning, critical, ca_warning, ca_critical, renewal, ..Policy::default() });
            }
        }
        all
    }

    /// Of ten minutes to a hundred years, roughly evenly in their logarithm, and the seconds beside each.
    fn validities() -> impl Iterator<Item = i64> {
        let steps = std::iter::successors(Some(600), |seconds: &i64| Some(seconds + seconds / 7 + 1));
        steps.take_while(|seconds| *seconds <= 100 * YEAR).chain([3600, DAY, 7 * DAY, YEAR, 10 * YEAR, 100 * YEAR])
    }

    #[test]
    fn nothing_is_near_its_end_when_it_is_made() {
        for policy in policies() {
            for validity in validities() {
                for kind in KINDS {
                    let (warning, critical) = policy.windows(kind, validity + BACK_DATE.whole_seconds());
                    assert!(warning < validity && critical < validity, "{kind:?} of {validity}s: {policy:?}");
                }
            }
        }
    }

    /// With what `kpki renew --due` takes for due: a share of the life without what it was dated back, or a time.
    #[test]
    fn nothing_is_critical_that_is_not_due() {
        for policy in policies() {
            let before = policy.renewal.unwrap();
            for validity in validities().filter(|validity| before.seconds(*validity) > 0) {
                for kind in [Kind::Certificate, Kind::Kubeconfig] {
                    let (_, critical) = policy.windows(kind, validity + BACK_DATE.whole_seconds());
                    assert!(critical <= before.seconds(validity), "{kind:?} of {validity}s: {policy:?}");
                }
            }
        }
    }

    /// By age alone: to the second, and never what has just been made.
    #[test]
    fn what_is_overdue_is_due_and_what_is_new_is_neither() {
        let now = time::macros::datetime!(2026-11-20 22:00 UTC);
        let second = time::Duration::SECOND;
        for most in validities().filter_map(|seconds| u64::try_from(seconds).ok()).map(Span::seconds) {
            let max_age = MaxAge(most);
            let due = now - most.duration();
            assert!(max_age.is_reached(due, now) && !max_age.is_reached(due + second, now), "{most}");
            let overdue = due - Span::seconds(most.as_seconds() / 10).duration();
            assert!(max_age.is_overdue(overdue, now) && !max_age.is_overdue(overdue + second, now), "{most}");
            for age in validities().map(time::Duration::seconds) {
                let start = now - age;
                assert!(max_age.is_reached(start, now) || !max_age.is_overdue(start, now), "{most} {age}");
            }
            let is_long = most >= MaxAge::SHORTEST;
            assert!(!is_long || !max_age.is_reached(now - BACK_DATE, now), "{most}");
        }
        // Beyond the years that have a date nothing is ever as old.
        assert!(!MaxAge(Span::seconds(u64::MAX)).is_reached(time::macros::datetime!(9500-01-01 0:00 UTC), now));
    }

    #[test]
    fn a_usual_lifetime_keeps_its_windows_and_a_typed_threshold_is_literal() {
        let policy = Policy::default();
        for (kind, days, windows) in [
            (Kind::Certificate, 365, (30, 7)),
            (Kind::Authority, 3650, (365, 180)),
            // A third and a sixth of five years are more.
            (Kind::Authority, 1825, (365, 180)),
        ] {
            let (warning, critical) = windows;
            assert_eq!(policy.windows(kind, days * DAY), (warning * DAY, critical * DAY), "{kind:?} {days}");
        }
        let day = DAY + BACK_DATE.whole_seconds();
        assert_eq!(policy.windows(Kind::Certificate, day), (DAY * 33 / 100, DAY * 16 / 100));
        let typed = Limit::typed(Threshold::Left(Span::days(30)));
        let policy = Policy { warning: typed, critical: typed, ..policy };
        assert_eq!(policy.windows(Kind::Certificate, day), (30 * DAY, 30 * DAY));
        assert_eq!(policy.windows(Kind::Crl, 30 * DAY), (6 * DAY, DAY + DAY / 2));
        // Who renews by hand, and never by --due, is told as before.
        let policy = Policy { renewal: Some(Threshold::Left(Span::seconds(0))), ..Policy::default() };
        assert_eq!(policy.windows(Kind::Certificate, 365 * DAY), (30 * DAY, 7 * DAY));
    }
}
