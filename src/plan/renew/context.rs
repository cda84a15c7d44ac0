//! The input of one decision.

use super::{Credential, Reason, Rules, Skipped};
use crate::ca::{CaError, PrivateKey};
use crate::kubeconfig::Read;
use crate::tree::{Authorities, Authority, Survey};
use crate::x509::Certificate;

pub(super) struct Run<'a> {
    pub credential: &'a Credential,
    pub credentials: &'a [Credential],
    pub authority: Option<&'a Authority>,
    pub survey: &'a Survey,
    pub rules: &'a Rules<'a>,
}

impl<'a> Run<'a> {
    pub fn new(
        credential: &'a Credential,
        credentials: &'a [Credential],
        authorities: &'a Authorities,
        survey: &'a Survey,
        rules: &'a Rules<'a>,
    ) -> Self {
        let authority = credential.authority.and_then(|authority| authorities.get(&authority));
        Self { credential, credentials, authority, survey, rules }
    }
}

/// The existing certificate.
pub(super) struct Existing {
    pub leaf: Certificate,
    pub chain: Vec<Certificate>,
    pub key: Option<Result<PrivateKey, CaError>>,
    pub read: Option<Read>,
}

/// Why the existing files cannot be used.
pub(super) enum Unfit {
    Nothing,
    Skipped(Skipped),
    /// It can be re-issued from profile or catalogue.
    Broken(Reason),
}

pub(super) enum Signed {
    ByTheAuthority,
    /// By an authority of this tree, but not as it would be signed now.
    Outdated(Reason),
    Elsewhere(Skipped),
}
