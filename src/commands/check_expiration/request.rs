//! What a run is asked for.

use time::OffsetDateTime;

use crate::audit::{Limit, Policy};
use crate::encrypted::Password;
use crate::profile::Threshold;
use crate::report::Selection;
use crate::workspace::TreeArgs;
use crate::workspace::targets::Target;

/// The command line, checked.
#[derive(Debug, Clone)]
pub struct Request {
    pub trees: TreeArgs,
    /// Thresholds of the command line, which override the profiles'.
    pub warning: Option<Threshold>,
    pub critical: Option<Threshold>,
    pub ca_warning: Option<Threshold>,
    pub ca_critical: Option<Threshold>,
    pub selection: Selection,
    pub at: OffsetDateTime,
    pub as_of: bool,
    /// Compare the files of keys with their certificates in a large fleet, too.
    pub keys: bool,
    pub threads: usize,
    /// Of PKCS#12 files and Java keystores.
    pub password: Option<Password>,
}

/// The thresholds: command line, literally, before profile before defaults.
pub fn policy(request: &Request, target: &Target) -> Policy {
    let said = target.profile.as_ref().map_or_else(Policy::default, Policy::of_profile);
    Policy {
        warning: request.warning.map_or(said.warning, Limit::typed),
        critical: request.critical.map_or(said.critical, Limit::typed),
        ca_warning: request.ca_warning.map_or(said.ca_warning, Limit::typed),
        ca_critical: request.ca_critical.map_or(said.ca_critical, Limit::typed),
        ..said
    }
}
