//! kubelet.conf names the file of the certificate that the kubelet rotates, which the earlier authority signed: it is to embed one
//! of the new authority, from which the kubelet asks for its own (kubelet's getCurrentCertificateOrBootstrap).

use super::context::Run;
use super::{Decision, Elsewhere, Key, Kubeconfig, Names, Reason, Refusal, Renewal, identity};
use crate::blueprint::{Algorithm, Blueprint};
use crate::catalog::paths::KUBELET_CONF;
use crate::kubeconfig::{self, Credentials};
use crate::plan::blueprints::{BACK_DATE, Bounds};
use crate::plan::item::Access;
use crate::tree::Authority;
use crate::tree::rotation::Kubelets;
use crate::x509::{Certificate, KeyKind};

impl Run<'_> {
    /// `None`: this is not wanted, or nothing says what the certificate has to be.
    pub(super) fn embedded_now(&self) -> Option<Result<Decision, Refusal>> {
        if self.rules.kubelets != Some(Kubelets::Embed) || self.credential.id.name != KUBELET_CONF {
            return None;
        }
        let read = kubeconfig::read(self.file(false)?).ok()?;
        let Some(Authority::Local(bundle)) = self.authority else { return None };
        let authority = bundle.first().filter(|_| matches!(read.credentials, Credentials::Files { .. }))?;
        let (algorithm, blueprint, lifetime) = self.kubelets_own(authority)?;
        let (not_before, not_after, shortened) = self.dates(lifetime, authority);
        let access = Access::from(read);
        Some(self.usable().map(|()| {
            Decision::Renew(Box::new(Renewal {
                reasons: vec![Reason::Requested],
                old: None,
                blueprint: Blueprint { not_before, not_after, ..blueprint },
                algorithm,
                key: Key::New,
                names: Names::default(),
                chain: Vec::new(),
                shortened,
                guessed: None,
                too_short: None,
                other_name: None,
                dropped: Vec::new(),
                kubeconfig: Some(Kubeconfig::New(access)),
            }))
        }))
    }

    /// By the profile, or as the one that the kubelet has; and how long it lives, with what it is dated back.
    fn kubelets_own(&self, authority: &Certificate) -> Option<(Algorithm, Blueprint, time::Duration)> {
        if let Some(wanted) = self.wanted(Bounds::of(authority)) {
            return Some((wanted.algorithm, wanted.blueprint, wanted.lifetime + BACK_DATE));
        }
        let Some(Elsewhere::Certificate(used)) = &self.credential.elsewhere else { return None };
        let KeyKind::Known(algorithm) = used.leaf.key else { return None };
        let blueprint = identity::blueprint(&used.leaf, algorithm, used.leaf.sans.clone());
        Some((algorithm, blueprint, identity::YEAR + BACK_DATE))
    }
}
