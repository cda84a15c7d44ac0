//! When an end is near: the thresholds of a check, and from which residual on they hold.

use crate::catalog::releases::KnownRelease;
use crate::inventory::Kind;
use crate::profile::{EXPIRATION, Expiration, Profile, RENEWAL, Threshold};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub warning: Threshold,
    pub critical: Threshold,
    pub ca_warning: Threshold,
    pub ca_critical: Threshold,
    /// renewal.before, so that a CA that ends before the leaves' next renewal is pointed out.
    pub renewal: Option<Threshold>,
    /// Whose components read the files.
    pub kubernetes: KnownRelease,
}

/// A CRL is short-lived by design (30 days by default), so a threshold meant for certificates of a year would hold all its
/// life. Of its life a CRL is never called near its end before these shares are left, in percent.
const CRL_WARNING_SHARE: u8 = 20;
const CRL_CRITICAL_SHARE: u8 = 5;

impl Default for Policy {
    /// 30 and 7 days for certificates, 365 and 180 days for authorities: a new CA takes a while to reach everybody.
    fn default() -> Self {
        Self { renewal: Some(RENEWAL.before), ..Self::of(&EXPIRATION) }
    }
}

impl Policy {
    fn of(expiration: &Expiration) -> Self {
        Self {
            warning: expiration.warning,
            critical: expiration.critical,
            ca_warning: expiration.ca_warning,
            ca_critical: expiration.ca_critical,
            renewal: None,
            kubernetes: KnownRelease::default(),
        }
    }

    pub fn of_profile(profile: &Profile) -> Self {
        let (renewal, kubernetes) = (Some(profile.renewal.before), profile.release());
        Self { renewal, kubernetes, ..Self::of(&profile.expiration) }
    }

    /// Seconds that must be left at the least for no warning, and for nothing critical.
    pub fn windows(&self, kind: Kind, lifetime: i64) -> (i64, i64) {
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
