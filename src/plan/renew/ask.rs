//! Requests for an external authority: the identity of the certificate on disk, else the blueprint of profile or
//! catalogue.

use time::{Duration, OffsetDateTime};

use super::context::{Run, Signed, Unfit};
use super::decide::leaf;
use super::identity::{self, YEAR};
use super::{Credential, Names, Rules, Skipped};
use crate::blueprint::{Algorithm, Blueprint, Role};
use crate::catalog::CaId;
use crate::plan::blueprints::{self, Bounds};
use crate::plan::item::Access;
use crate::profile::Profile;
use crate::tree::layout::Place;
use crate::tree::{Authorities, Survey, file};
use crate::x509::{Certificate, KeyKind};

/// One request. Its blueprint's dates mean nothing: the signer decides them.
#[derive(Debug, Clone)]
pub struct CsrTemplate {
    /// Of a key that has to be made.
    pub algorithm: Algorithm,
    pub blueprint: Blueprint,
    pub names: Names,
    /// How long the certificate is to live, where its signer asks.
    pub lifetime: Duration,
    /// The existing files.
    pub old: Option<Box<Certificate>>,
    /// A kubeconfig's, which waits for its certificate.
    pub access: Option<Access>,
}

impl CsrTemplate {
    /// Of something that is not there yet.
    pub fn new(algorithm: Algorithm, blueprint: Blueprint, lifetime: Duration) -> Self {
        Self { algorithm, blueprint, names: Names::default(), lifetime, old: None, access: None }
    }

    /// The same for a key that is there already.
    pub fn blueprint_for(&self, algorithm: Algorithm) -> Blueprint {
        identity::for_key(self.blueprint.clone(), self.algorithm, algorithm)
    }
}

#[derive(Debug)]
pub enum CsrDecision {
    CsrTemplate(Box<CsrTemplate>),
    Skipped(Skipped),
    /// It does not exist and is optional.
    Absent,
}

/// The request of one credential. `credentials`: all of the tree.
pub fn ask(
    credential: &Credential,
    credentials: &[Credential],
    authorities: &Authorities,
    survey: &Survey,
    rules: &Rules<'_>,
) -> CsrDecision {
    Run::new(credential, credentials, authorities, survey, rules).ask()
}

impl Run<'_> {
    fn ask(&self) -> CsrDecision {
        let bounds = Bounds { not_before: self.rules.now, not_after: self.rules.now };
        let existing = match self.existing() {
            Ok(existing) => existing,
            // kubeadm's generate-csr leaves kubeconfigs that have no certificate yet.
            Err(Unfit::Skipped(left @ Skipped::Unreadable(_))) => return self.profile_decision(bounds, Some(left)),
            Err(Unfit::Skipped(left)) => return CsrDecision::Skipped(left),
            Err(Unfit::Nothing | Unfit::Broken(_)) => return self.profile_decision(bounds, None),
        };
        let leaf = existing.leaf;
        if leaf.is_ca {
            // Its own certificate may stand behind it.
            return self.profile_decision(bounds, Some(Skipped::IsAuthority));
        }
        if let Signed::Elsewhere(left @ Skipped::KubeletsOwn) = self.signed(&leaf, &existing.chain) {
            return CsrDecision::Skipped(left);
        }
        let wanted = self.wanted(bounds);
        let (sans, names) = self.names(&leaf, wanted.as_ref());
        let stated = wanted.as_ref().filter(|wanted| wanted.stated_algorithm).map(|wanted| wanted.algorithm);
        let algorithm = match (stated, &leaf.key) {
            (Some(algorithm), _) => algorithm,
            (None, KeyKind::Known(algorithm)) => *algorithm,
            (None, KeyKind::Other(other)) => return CsrDecision::Skipped(Skipped::OtherKey(other.clone())),
        };
        CsrDecision::CsrTemplate(Box::new(CsrTemplate {
            algorithm,
            blueprint: identity::blueprint(&leaf, algorithm, sans),
            names,
            lifetime: wanted.as_ref().map_or(YEAR, |wanted| wanted.lifetime),
            old: Some(Box::new(leaf)),
            access: existing.read.map(Access::from),
        }))
    }

    /// There is no certificate.
    fn profile_decision(&self, bounds: Bounds, unreadable: Option<Skipped>) -> CsrDecision {
        match self.wanted(bounds).or_else(|| self.of_catalogue(bounds)) {
            Some(_)
                if !self.credential.replenished && !self.rules.named && unreadable.is_none() && self.is_inhabited() =>
            {
                CsrDecision::Skipped(Skipped::NotReplenished)
            }
            Some(wanted) => CsrDecision::CsrTemplate(Box::new(CsrTemplate {
                names: Names { added: wanted.blueprint.sans.clone(), ..Names::default() },
                access: wanted.access.filter(|_| self.credential.is_kubeconfig()),
                ..CsrTemplate::new(wanted.algorithm, wanted.blueprint, wanted.lifetime)
            })),
            None => match unreadable {
                Some(left) => CsrDecision::Skipped(left),
                None if self.rules.named || self.file(true).is_some() => CsrDecision::Skipped(Skipped::Unknown),
                None => CsrDecision::Absent,
            },
        }
    }
}

impl Run<'_> {
    /// Another kubeconfig exists: the missing one was not made, or was removed.
    fn is_inhabited(&self) -> bool {
        let beside = |other: &&Credential| other.id.node == self.credential.id.node && other.is_kubeconfig();
        self.credentials.iter().filter(beside).any(|other| file(self.survey, Some(&other.public)).is_some())
    }
}

/// The request of an authority of the tree, for an intermediate certificate.
pub fn ask_authority(
    authority: CaId,
    place: &Place,
    survey: &Survey,
    profile: Option<&Profile>,
    now: OffsetDateTime,
) -> Result<CsrTemplate, Skipped> {
    if let Some(bytes) = file(survey, Some(place)) {
        let (old, _) = leaf(bytes).map_err(|why| Skipped::Unreadable(why.into()))?;
        let algorithm = match &old.key {
            KeyKind::Known(algorithm) => *algorithm,
            KeyKind::Other(other) => return Err(Skipped::OtherKey(other.clone())),
        };
        let options = profile.and_then(|profile| profile.authorities.get(&authority));
        let blueprint = Blueprint {
            // What it may sign, and whether others may follow below it, is for the one above to say: the profile asks.
            role: Role::Authority { path_len: options.and_then(|options| options.path_len) },
            permitted: options.map(|options| options.permitted.clone()).unwrap_or_default(),
            ..identity::blueprint(&old, algorithm, old.sans.clone())
        };
        let lifetime = old.not_after - old.not_before;
        return Ok(CsrTemplate { old: Some(Box::new(old)), ..CsrTemplate::new(algorithm, blueprint, lifetime) });
    }
    let profile = profile.ok_or(Skipped::Unknown)?;
    let (algorithm, blueprint) = blueprints::authority(profile, authority, now);
    let lifetime = blueprint.not_after - now;
    Ok(CsrTemplate::new(algorithm, blueprint, lifetime))
}
