//! The blueprint of a credential in profile or catalogue.

use time::Duration;

use super::context::Run;
use super::identity::{self, Lifetime, YEAR};
use super::{Credential, Names};
use crate::blueprint::{Algorithm, Blueprint, ExtendedKeyUsage, San};
use crate::catalog::releases::Release;
use crate::catalog::{Entry, Files, Sans, Subject};
use crate::plan::blueprints::{self, BACK_DATE, Bounds};
use crate::plan::item::Access;
use crate::profile::Stated;
use crate::tree::{file, leaf};
use crate::x509::{Certificate, KeyKind};

/// The blueprint in the profile, or without a profile in the catalogue.
pub(super) struct Wanted {
    pub algorithm: Algorithm,
    pub blueprint: Blueprint,
    pub lifetime: Duration,
    /// Stated explicitly, so that it has precedence over the existing certificate.
    pub stated_algorithm: bool,
    pub stated_validity: bool,
    pub access: Option<Access>,
}

impl Run<'_> {
    pub(super) fn wanted(&self, bounds: Bounds) -> Option<Wanted> {
        let profile = self.rules.profile?;
        let (what, home) = self.credential.wanted.as_ref()?;
        let (algorithm, blueprint) = blueprints::signed(profile, what, Some(home), self.rules.now, bounds)?;
        let access = what.access().cloned();
        let Stated { algorithm: stated_algorithm, validity: stated_validity, .. } = blueprints::stated(profile, what);
        let lifetime = blueprints::validity(profile, what).duration();
        Some(Wanted { algorithm, blueprint, lifetime, stated_algorithm, stated_validity, access })
    }

    /// Without a profile the catalogue knows the clients that are the same on every control-plane node; that it is one
    /// is seen from the other existing files.
    pub(super) fn of_catalogue(&self, bounds: Bounds) -> Option<Wanted> {
        let entry: &Entry = self.credential.entry.filter(|_| self.rules.profile.is_none())?;
        let (Subject::Fixed(name, organization), Sans::None, Files::Pair(_)) = (entry.subject, entry.sans, entry.files)
        else {
            return None;
        };
        let witness = if entry.name == "etcd-healthcheck-client" { "etcd-server" } else { "apiserver" };
        let beside = |other: &&Credential| other.id.node == self.credential.id.node && other.id.name == witness;
        let server = file(self.survey, self.credentials.iter().find(beside).map(|other| &other.public));
        let leaf = leaf::leaf(server?)?;
        let KeyKind::Known(algorithm) = leaf.key else { return None };
        let subject = crate::blueprint::Name::of(name, organization.at(Release::NEWEST).as_slice());
        let blueprint = blueprints::client(subject, entry.usages, algorithm, self.rules.now, YEAR, bounds);
        let (stated_algorithm, stated_validity) = (false, false);
        Some(Wanted { algorithm, blueprint, lifetime: YEAR, stated_algorithm, stated_validity, access: None })
    }

    /// How long the new certificate lives, with what it is dated back; and whether that is a guess.
    pub(super) fn lifetime(
        &self,
        leaf: &Certificate,
        wanted: Option<&Wanted>,
        signer: &Certificate,
    ) -> (Duration, bool) {
        let usual = wanted.map_or(YEAR, |wanted| wanted.lifetime) + BACK_DATE;
        if wanted.is_some_and(|wanted| wanted.stated_validity) {
            return (usual, false);
        }
        match identity::lifetime(leaf, signer) {
            Lifetime::Stated(lifetime) => (lifetime, false),
            Lifetime::Cut => (usual, false),
            Lifetime::Unclear | Lifetime::Short(_) => (usual, true),
        }
    }

    /// What the certificate would have to be good for and is not. Without the extension it is good for everything
    /// (RFC 5280 section 4.2.1.12).
    pub(super) fn missing_usages(&self, leaf: &Certificate, wanted: Option<&Wanted>) -> Vec<ExtendedKeyUsage> {
        let found = &leaf.extended_key_usages;
        let any = |usage: &ExtendedKeyUsage| usage.oid().0 == ANY_USAGE;
        if found.is_empty() || found.iter().any(any) {
            return Vec::new();
        }
        let usages = match (wanted, self.credential.entry) {
            (Some(wanted), _) => wanted.blueprint.extended_key_usages.as_slice(),
            (None, Some(entry)) => entry.usages,
            (None, None) => &[],
        };
        usages.iter().filter(|usage| !found.contains(usage)).cloned().collect()
    }

    /// The names of the new certificate, and what is added or removed.
    pub(super) fn names(&self, leaf: &Certificate, wanted: Option<&Wanted>) -> (Vec<San>, Names) {
        let of = |wanted: &Wanted| identity::names(&leaf.sans, &wanted.blueprint.sans, self.rules.prune_sans);
        wanted.map_or_else(|| (leaf.sans.clone(), Names::default()), of)
    }

    /// The CN it has, and the one it would be made with.
    pub(super) fn other_name(&self, leaf: &Certificate, wanted: Option<&Wanted>) -> Option<(String, String)> {
        let expected = match (wanted, self.credential.entry.map(|entry| entry.subject)) {
            (Some(wanted), _) => wanted.blueprint.subject.common_name()?,
            (None, Some(Subject::Fixed(name, _))) => name.to_owned(),
            (None, _) => return None,
        };
        let found = leaf.common_name().unwrap_or_default();
        (found != expected).then_some((found, expected))
    }
}

/// anyExtendedKeyUsage.
const ANY_USAGE: &str = "2.5.29.37.0";
