//! What one decision is made from.

use super::{Credential, Reason, Rules, Skipped};
use crate::ca::{CaError, PrivateKey};
use crate::kubeconfig::Read;
use crate::tree::{Authority, Survey};
use crate::x509::Certificate;

pub(super) struct Run<'a> {
    pub credential: &'a Credential,
    pub credentials: &'a [Credential],
    pub authority: Option<&'a Authority>,
    pub survey: &'a Survey,
    pub rules: &'a Rules<'a>,
}

/// What lies there.
pub(super) struct Existing {
    pub leaf: Certificate,
    pub chain: Vec<Certificate>,
    pub key: Option<Result<PrivateKey, CaError>>,
    pub read: Option<Read>,
}

/// Why nothing could be had from what lies there.
pub(super) enum Unfit {
    Nothing,
    Skipped(Skipped),
    /// It can be made anew where somebody says what it is.
    Broken(Reason),
}

pub(super) enum Signed {
    ByTheAuthority,
    /// By an authority of this tree, but not as it would be signed now.
    Outdated(Reason),
    Elsewhere(Skipped),
}
